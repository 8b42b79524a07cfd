"""Adapters of the ports on AWS. botocore is known here, in `stores` and in `wiring`, and nowhere else."""
