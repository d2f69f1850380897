"""The one door to AWS: sessions, and a stack, a role and a key as they are. Nothing else imports boto3."""
