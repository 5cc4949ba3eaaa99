# What is refused, before a cloud is asked.

mock_provider "azurerm" {}

variables {
  cluster_name        = "c"
  resource_group_name = "g"
  resource_group_id   = "/subscriptions/s/resourceGroups/g"
  location            = "westeurope"
  disks               = { main = { zone = "1" } }
}

run "bad_cluster_name" {
  command = plan

  variables {
    cluster_name = "c_1"
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
    disks = { "A" = { zone = "1" } }
  }

  expect_failures = [var.disks]
}

run "unknown_type" {
  command = plan

  variables {
    disks = { main = { zone = "1", type = "UltraSSD_LRS" } }
  }

  expect_failures = [var.disks]
}

run "no_zone" {
  command = plan

  variables {
    disks = { main = {} }
  }

  expect_failures = [var.disks]
}

run "no_such_zone" {
  command = plan

  variables {
    disks = { main = { zone = "4" } }
  }

  expect_failures = [var.disks]
}

run "zone_of_a_disk_in_all_zones" {
  command = plan

  variables {
    disks = { main = { zone = "1", type = "Premium_ZRS" } }
  }

  expect_failures = [var.disks]
}

run "too_small" {
  command = plan

  variables {
    disks = { main = { zone = "1", size_gib = 0 } }
  }

  expect_failures = [var.disks]
}

run "too_large" {
  command = plan

  variables {
    disks = { main = { zone = "1", size_gib = 32768 } }
  }

  expect_failures = [var.disks]
}

run "no_resource_group" {
  command = plan

  variables {
    resource_group_name = ""
  }

  expect_failures = [var.resource_group_name]
}

run "name_for_an_id" {
  command = plan

  variables {
    resource_group_id = "g"
  }

  expect_failures = [var.resource_group_id]
}

run "snapshots_without_a_place" {
  command = plan

  variables {
    resource_group_id = null
  }

  expect_failures = [var.resource_group_id]
}

run "no_location" {
  command = plan

  variables {
    location = ""
  }

  expect_failures = [var.location]
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
