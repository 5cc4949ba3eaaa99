# What is refused, before a cloud is asked.

mock_provider "google" {}

variables {
  cluster_name = "c"
  disks        = { main = { zone = "us-central1-b" } }
}

run "bad_cluster_name" {
  command = plan

  variables {
    cluster_name = "-c"
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
    disks = { "a_b" = { zone = "us-central1-b" } }
  }

  expect_failures = [var.disks]
}

run "region_for_a_zone" {
  command = plan

  variables {
    disks = { main = { zone = "us-central1" } }
  }

  expect_failures = [var.disks]
}

run "unknown_type" {
  command = plan

  variables {
    disks = { main = { zone = "us-central1-b", type = "ssd" } }
  }

  expect_failures = [var.disks]
}

run "too_small" {
  command = plan

  variables {
    disks = { main = { zone = "us-central1-b", size_gib = 9 } }
  }

  expect_failures = [var.disks]
}

run "too_large" {
  command = plan

  variables {
    disks = { main = { zone = "us-central1-b", size_gib = 65537 } }
  }

  expect_failures = [var.disks]
}

run "bad_label_of_disk" {
  command = plan

  variables {
    disks = { main = { zone = "us-central1-b", labels = { Hub = "x" } } }
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

run "hour_that_google_lacks" {
  command = plan

  variables {
    snapshots = { start_hour = 5 }
  }

  expect_failures = [var.snapshots]
}

run "bad_label" {
  command = plan

  variables {
    labels = { "1" = "x" }
  }

  expect_failures = [var.labels]
}
