# One image for every process of image-intake: the command says which.
FROM node:26-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# With --omit=dev `npm sbom` leaves out what a development dependency needs too, so it is told of none.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
 && npm pkg delete devDependencies \
 && npm sbom --sbom-format=cyclonedx >sbom.cdx.json

FROM node:26-slim
ENV NODE_ENV=production HOST=0.0.0.0 HEALTH_PORT=9464
WORKDIR /app
COPY --from=dependencies /app ./
COPY . ./
USER 1000:1000
EXPOSE 3000 9464
# A service that waits for others is not ready; unhealthy it is only after five minutes of that.
HEALTHCHECK --start-period=60s --start-interval=1s --interval=10s --timeout=5s --retries=30 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.HEALTH_PORT}/readyz`).then(({ ok }) => process.exit(ok ? 0 : 1))"]
CMD ["node", "services/api/main.ts"]
