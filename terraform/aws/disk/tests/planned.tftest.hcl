# What is planned, as far as it is known before it is there.

mock_provider "aws" {}

variables {
  cluster_name = "c"
  disks        = { main = { availability_zone = "us-west-2a" } }
}

run "a_disk_with_the_defaults" {
  command = plan

  assert {
    condition     = aws_ebs_volume.homes["main"].encrypted && aws_ebs_volume.homes["main"].type == "gp3" && aws_ebs_volume.homes["main"].size == 100
    error_message = "The disk."
  }

  assert {
    condition     = aws_ebs_volume.homes["main"].tags["hubhome/snapshots"] == aws_dlm_lifecycle_policy.daily[0].policy_details[0].target_tags["hubhome/snapshots"]
    error_message = "It has snapshots."
  }

  assert {
    condition     = aws_dlm_lifecycle_policy.daily[0].policy_details[0].schedule[0].create_rule[0].times == tolist(["04:00"]) && aws_dlm_lifecycle_policy.daily[0].policy_details[0].schedule[0].retain_rule[0].count == 30
    error_message = "When, and how many."
  }
}

run "a_fast_disk_without_snapshots" {
  command = plan

  variables {
    disks     = { main = { availability_zone = "us-gov-west-1a", size_gib = 1000, iops = 8000, throughput_mibps = 2000 } }
    snapshots = null
  }

  assert {
    condition     = aws_ebs_volume.homes["main"].throughput == 2000
    error_message = "Fast."
  }

  assert {
    condition     = length(aws_dlm_lifecycle_policy.daily) == 0 && length(aws_iam_role.snapshots) == 0
    error_message = "No snapshots."
  }
}
