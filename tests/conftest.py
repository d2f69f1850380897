"""What every test runs with."""

import functools
import os
import sysconfig
from pathlib import Path

import botocore.session
from hypothesis import settings

from cmek_construct.policy.questions import Questions

# CDK's own validation starts an engine for 1.3 s a synth; test_checkers.py looks at it.
os.environ["CDK_VALIDATION"] = "false"
# The Node of this environment, whatever else the machine has.
os.environ["PATH"] = os.pathsep.join((sysconfig.get_path("scripts"), os.environ["PATH"]))
for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull

# Each session of boto3 parses the models of its services anew; here all share what was parsed.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)

# What one run was answered is not asked again in another: most differ in one policy of several.
answered = vars(Questions())
Questions.__init__ = lambda self: vars(self).update(answered)  # type: ignore[method-assign]

# How long an example takes says more of the machine than of the code.
settings.register_profile("any-machine", settings.default, deadline=None)
settings.load_profile("any-machine")

ROOT = Path(__file__).parent.parent
