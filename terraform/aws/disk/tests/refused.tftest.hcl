# What is refused, before a cloud is asked.

mock_provider "aws" {}

variables {
  cluster_name = "c"
  disks        = { main = { availability_zone = "us-west-2a" } }
}

run "bad_cluster_name" {
  command = plan

  variables {
    cluster_name = "c!"
  }

  expect_failures = [var.cluster_name]
}

run "no_disk" {
  command = plan

  variables {
    disks = {}
  }

  expect_failures = [var.disks]
}

run "bad_disk_name" {
  command = plan

  variables {
    disks = { "a_b" = { availability_zone = "us-west-2a" } }
  }

  expect_failures = [var.disks]
}

run "region_for_a_zone" {
  command = plan

  variables {
    disks = { main = { availability_zone = "us-west-2" } }
  }

  expect_failures = [var.disks]
}

run "too_small" {
  command = plan

  variables {
    disks = { main = { availability_zone = "us-west-2a", size_gib = 0 } }
  }

  expect_failures = [var.disks]
}

run "too_large" {
  command = plan

  variables {
    disks = { main = { availability_zone = "us-west-2a", size_gib = 65537 } }
  }

  expect_failures = [var.disks]
}

run "too_few_iops" {
  command = plan

  variables {
    disks = { main = { availability_zone = "us-west-2a", iops = 2999 } }
  }

  expect_failures = [var.disks]
}

run "too_many_iops_for_the_size" {
  command = plan

  variables {
    disks = { main = { availability_zone = "us-west-2a", size_gib = 10, iops = 6000 } }
  }

  expect_failures = [var.disks]
}

run "too_little_throughput" {
  command = plan

  variables {
    disks = { main = { availability_zone = "us-west-2a", throughput_mibps = 100 } }
  }

  expect_failures = [var.disks]
}

run "too_much_throughput_for_the_iops" {
  command = plan

  variables {
    disks = { main = { availability_zone = "us-west-2a", throughput_mibps = 1000 } }
  }

  expect_failures = [var.disks]
}

run "no_retention" {
  command = plan

  variables {
    snapshots = { retention_days = 0 }
  }

  expect_failures = [var.snapshots]
}

run "no_such_hour" {
  command = plan

  variables {
    snapshots = { start_hour = 24 }
  }

  expect_failures = [var.snapshots]
}
