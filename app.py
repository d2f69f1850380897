"""The CDK app: one stack per entry of cmek.yaml."""

import os

from cmek_construct.deployment.app import synthesize

# CDK's own validation is half of the wait, and the tests of cmek-construct do it for every form of
# cmek.yaml. CDK_VALIDATION=true in the environment switches it on.
os.environ.setdefault("CDK_VALIDATION", "false")
synthesize("cmek.yaml")
