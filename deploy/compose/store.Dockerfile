FROM python:3.11-slim
RUN pip install --no-cache-dir ministack==1.5.33 && install -d -o 1000 -g 1000 /data /credentials
COPY store-users.py /
USER 1000:1000
CMD ["ministack"]
