"""Makes the IAM users of the store, once per volume, and writes their keys to /credentials/credentials.

The store keeps its users, queues and settings in memory and writes them to its volume when it is stopped cleanly. So it is
begun here for a moment and stopped: what a kill takes back is then the state after this, and keys stay good.
"""
import json
import os
import signal
import subprocess
import time
import urllib.request

import botocore.session

ENDPOINT = "http://127.0.0.1:" + os.environ["GATEWAY_PORT"]
KEYS = "/credentials/credentials"
STATE = os.environ["STATE_DIR"] + "/iam.json"
IMAGES, STATES = os.environ["S3_BUCKET"], os.environ["STATE_BUCKET"]


def allow(actions, *resources):
    return {"Effect": "Allow", "Action": actions, "Resource": list(resources)}


def bucket(name):
    return "arn:aws:s3:::" + name


def queue(name):
    return "arn:aws:sqs:*:*:" + name


# What the services and `reconcile` need, and no more. `operator` is who provisions and looks after the queues. The store
# asks for the names of the batch calls; AWS takes the single call's for both.
POLICIES = {
    "app": [
        allow(["s3:ListBucket", "s3:ListBucketVersions"], bucket(IMAGES), bucket(STATES)),
        allow(["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"],
              bucket(IMAGES) + "/*", bucket(STATES) + "/*"),
        allow(["sqs:ReceiveMessage", "sqs:DeleteMessage*", "sqs:ChangeMessageVisibility*", "sqs:SendMessage*",
               "sqs:GetQueueAttributes"], queue("image-uploads")),
        allow(["sqs:SendMessage*", "sqs:GetQueueAttributes"], queue("image-quarantine"), queue("vision-analysis-jobs.fifo")),
    ],
    "operator": [allow(["s3:*", "sqs:*"], "*")],
}


def wait_until_ready():
    for _ in range(600):
        try:
            return urllib.request.urlopen(ENDPOINT + "/_ministack/ready", timeout=5).read()
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the store did not become ready")


def make_user(iam, name, statements):
    try:
        iam.create_user(UserName=name)
    except iam.exceptions.EntityAlreadyExistsException:
        for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
            iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName=name, PolicyName=name, PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return (f"[{name}]\naws_access_key_id = {key['AccessKeyId']}\n"
            f"aws_secret_access_key = {key['SecretAccessKey']}\n")


def make_users():
    root = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    iam = botocore.session.get_session().create_client(
        "iam", region_name=os.environ["MINISTACK_REGION"], endpoint_url=ENDPOINT, **root)
    return "".join(make_user(iam, name, statements) for name, statements in POLICIES.items())


def main():
    if os.path.exists(KEYS) and os.path.exists(STATE):
        print("the store's users are there")
        return
    store = subprocess.Popen(["ministack"], env={**os.environ, "BIND_HOST": "127.0.0.1"})
    try:
        wait_until_ready()
        keys = make_users()
    finally:
        store.send_signal(signal.SIGTERM)
        store.wait(timeout=60)
    if not os.path.exists(STATE):
        raise SystemExit("the store kept no users")
    with os.fdopen(os.open(KEYS + ".part", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(keys)
    os.replace(KEYS + ".part", KEYS)
    print("the store's users are made: " + ", ".join(POLICIES))


main()
