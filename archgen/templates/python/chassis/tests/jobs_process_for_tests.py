"""A worker process for tests, which kill it: `python jobs_process_for_tests.py`, told by the environment."""

import os

from jobs_for_tests import service

from chassis.jobs.process import run

if __name__ == "__main__":
    run(service(schedule=os.environ["NIGHTLY"]))
