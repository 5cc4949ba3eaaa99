# What is refused, before a cloud is asked.

mock_provider "google" {
  # A store without an address is none.
  mock_resource "google_filestore_instance" {
    defaults = {
      networks = {
        ip_addresses = ["10.0.0.2"]
      }
    }
  }
}

variables {
  cluster_name   = "c"
  network        = "default"
  node_ip_ranges = ["10.128.0.0/20"]
  stores         = { main = { location = "us-central1-b" } }
}

run "cluster_name_in_capitals" {
  command = plan

  variables {
    cluster_name = "Cluster"
  }

  expect_failures = [var.cluster_name]
}

run "no_store" {
  command = plan

  variables {
    stores = {}
  }

  expect_failures = [var.stores]
}

run "bad_store_name" {
  command = plan

  variables {
    stores = { "a_b" = { location = "us-central1-b" } }
  }

  expect_failures = [var.stores]
}

run "unknown_tier" {
  command = plan

  variables {
    stores = { main = { location = "us-central1-b", tier = "PREMIUM" } }
  }

  expect_failures = [var.stores]
}

run "basic_hdd_too_small" {
  command = plan

  variables {
    stores = { main = { location = "us-central1-b", tier = "BASIC_HDD", capacity_gib = 1023 } }
  }

  expect_failures = [var.stores]
}

run "basic_hdd_too_large" {
  command = plan

  variables {
    stores = { main = { location = "us-central1-b", tier = "BASIC_HDD", capacity_gib = 65434 } }
  }

  expect_failures = [var.stores]
}

run "basic_ssd_too_small" {
  command = plan

  variables {
    stores = { main = { location = "us-central1-b", tier = "BASIC_SSD", capacity_gib = 1024 } }
  }

  expect_failures = [var.stores]
}

run "zonal_too_small" {
  command = plan

  variables {
    stores = { main = { location = "us-central1-b", capacity_gib = 768 } }
  }

  expect_failures = [var.stores]
}

run "zonal_between_steps" {
  command = plan

  variables {
    stores = { main = { location = "us-central1-b", capacity_gib = 1100 } }
  }

  expect_failures = [var.stores]
}

run "zonal_between_large_steps" {
  command = plan

  variables {
    stores = { main = { location = "us-central1-b", capacity_gib = 10496 } }
  }

  expect_failures = [var.stores]
}

run "zonal_too_large" {
  command = plan

  variables {
    stores = { main = { location = "us-central1-b", capacity_gib = 104960 } }
  }

  expect_failures = [var.stores]
}

run "enterprise_too_large" {
  command = plan

  variables {
    stores = { main = { location = "us-central1", tier = "ENTERPRISE", capacity_gib = 10496 } }
  }

  expect_failures = [var.stores]
}

run "half_a_gib" {
  command = plan

  variables {
    stores = { main = { location = "us-central1-b", tier = "BASIC_HDD", capacity_gib = 1024.5 } }
  }

  expect_failures = [var.stores]
}

run "second_store_wrong" {
  command = plan

  variables {
    stores = { main = { location = "us-central1-b" }, physics = { location = "us-central1-b", capacity_gib = 1 } }
  }

  expect_failures = [var.stores]
}

run "basic_does_not_speak_4_1" {
  command = plan

  variables {
    stores = { main = { location = "us-central1-b", tier = "BASIC_SSD", capacity_gib = 2560, protocol = "NFS_V4_1" } }
  }

  expect_failures = [var.stores]
}

run "unknown_protocol" {
  command = plan

  variables {
    stores = { main = { location = "us-central1-b", protocol = "NFS_V4_2" } }
  }

  expect_failures = [var.stores]
}

run "zonal_in_a_region" {
  command = plan

  variables {
    stores = { main = { location = "us-central1" } }
  }

  expect_failures = [var.stores]
}

run "regional_in_a_zone" {
  command = plan

  variables {
    stores = { main = { location = "us-central1-b", tier = "REGIONAL" } }
  }

  expect_failures = [var.stores]
}

run "bad_source_backup" {
  command = plan

  variables {
    stores = { main = { location = "us-central1-b", source_backup = "yesterday" } }
  }

  expect_failures = [var.stores]
}

run "own_key_with_basic" {
  command = plan

  variables {
    stores = { main = { location = "us-central1-b", tier = "BASIC_HDD", kms_key_name = "k" } }
  }

  expect_failures = [var.stores]
}

run "bad_label_of_store" {
  command = plan

  variables {
    stores = { main = { location = "us-central1-b", labels = { Hub = "physics" } } }
  }

  expect_failures = [var.stores]
}

run "no_network" {
  command = plan

  variables {
    network = ""
  }

  expect_failures = [var.network]
}

run "unknown_connect_mode" {
  command = plan

  variables {
    connect_mode = "PEERING"
  }

  expect_failures = [var.connect_mode]
}

run "no_node_range" {
  command = plan

  variables {
    node_ip_ranges = []
  }

  expect_failures = [var.node_ip_ranges]
}

run "everybody" {
  command = plan

  variables {
    node_ip_ranges = ["0.0.0.0/0"]
  }

  expect_failures = [var.node_ip_ranges]
}

run "not_a_network" {
  command = plan

  variables {
    node_ip_ranges = ["10.128.0.7/20"]
  }

  expect_failures = [var.node_ip_ranges]
}

run "not_an_address" {
  command = plan

  variables {
    node_ip_ranges = ["nodes"]
  }

  expect_failures = [var.node_ip_ranges]
}

run "not_ipv4" {
  command = plan

  variables {
    node_ip_ranges = ["fd00::/64"]
  }

  expect_failures = [var.node_ip_ranges]
}

run "range_twice" {
  command = plan

  variables {
    node_ip_ranges = ["10.128.0.0/20", "10.128.0.0/20"]
  }

  expect_failures = [var.node_ip_ranges]
}

run "bad_pod_range" {
  command = plan

  variables {
    pod_ip_ranges = ["10.4.0.0"]
  }

  expect_failures = [var.pod_ip_ranges]
}

run "no_retention" {
  command = plan

  variables {
    backups = { retention_days = 0 }
  }

  expect_failures = [var.backups]
}

run "no_six_hours_left" {
  command = plan

  variables {
    backups = { start_hour = 19 }
  }

  expect_failures = [var.backups]
}

run "bad_label" {
  command = plan

  variables {
    labels = { team = "Data Science" }
  }

  expect_failures = [var.labels]
}

run "pods_in_a_range_of_the_nodes" {
  command = plan

  variables {
    pod_ip_ranges = ["10.4.0.0/14", "10.128.0.0/20"]
  }

  expect_failures = [var.pod_ip_ranges]
}
