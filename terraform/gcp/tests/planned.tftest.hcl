# What is planned, as far as it is known before it is there.

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

run "a_store_with_the_defaults" {
  command = plan

  assert {
    condition     = google_filestore_instance.store["main"].name == "c-main"
    error_message = "Name of the instance."
  }

  assert {
    condition     = google_filestore_instance.store["main"].tier == "ZONAL" && google_filestore_instance.store["main"].protocol == "NFS_V3"
    error_message = "Tier and protocol."
  }

  assert {
    condition     = google_filestore_instance.store["main"].file_shares[0].name == "homes" && google_filestore_instance.store["main"].file_shares[0].capacity_gb == 1024
    error_message = "The share."
  }

  assert {
    condition     = google_filestore_instance.store["main"].file_shares[0].nfs_export_options[0].ip_ranges == tolist(["10.128.0.0/20"])
    error_message = "Nobody but the nodes mounts."
  }

  assert {
    condition     = google_filestore_instance.store["main"].file_shares[0].nfs_export_options[0].squash_mode == "NO_ROOT_SQUASH"
    error_message = "The share creator gives directories away."
  }

  assert {
    condition     = google_filestore_instance.store["main"].deletion_protection_enabled
    error_message = "Protected where it is, too."
  }

  assert {
    condition     = google_backup_dr_backup_plan_association.store["main"].resource_type == "file.googleapis.com/Instance" && google_backup_dr_backup_plan_association.store["main"].location == "us-central1"
    error_message = "It has backups."
  }

  assert {
    condition     = google_backup_dr_backup_plan.daily["us-central1"].backup_rules[0].backup_retention_days == 30
    error_message = "Days that a backup is kept."
  }

  assert {
    condition     = google_backup_dr_backup_vault.homes["us-central1"].backup_minimum_enforced_retention_duration == "604800s"
    error_message = "Nobody deletes a backup in its first 7 days."
  }
}

run "stores_in_two_regions" {
  command = plan

  variables {
    stores = { main = { location = "us-central1-b" }, regional = { tier = "REGIONAL", location = "europe-west1", capacity_gib = 10240, protocol = "NFS_V4_1" }, more = { location = "us-central1-c", tier = "BASIC_HDD", capacity_gib = 65433 } }
  }

  assert {
    condition     = toset(keys(google_backup_dr_backup_vault.homes)) == toset(["europe-west1", "us-central1"])
    error_message = "A vault for each region."
  }

  assert {
    condition     = length(google_backup_dr_backup_plan_association.store) == 3
    error_message = "Backups of each store."
  }
}

run "the_ends_of_the_ranges" {
  command = plan

  variables {
    stores = {
      hdd-least   = { location = "us-central1-b", tier = "BASIC_HDD", capacity_gib = 1024 }
      hdd-most    = { location = "us-central1-b", tier = "BASIC_HDD", capacity_gib = 65433 }
      ssd-least   = { location = "us-central1-b", tier = "BASIC_SSD", capacity_gib = 2560 }
      ssd-most    = { location = "us-central1-b", tier = "BASIC_SSD", capacity_gib = 65433 }
      small-least = { location = "us-central1-b", tier = "ZONAL", capacity_gib = 1024 }
      small-most  = { location = "us-central1-b", tier = "ZONAL", capacity_gib = 9984 }
      large-least = { location = "us-central1", tier = "REGIONAL", capacity_gib = 10240 }
      large-most  = { location = "us-central1", tier = "REGIONAL", capacity_gib = 102400 }
      ent-least   = { location = "us-central1", tier = "ENTERPRISE", capacity_gib = 1024, protocol = "NFS_V4_1" }
      ent-most    = { location = "us-central1", tier = "ENTERPRISE", capacity_gib = 10240, kms_key_name = "k" }
    }
  }

  assert {
    condition     = length(google_filestore_instance.store) == 10
    error_message = "All of them are possible."
  }
}

run "a_day_of_backups" {
  command = plan

  variables {
    backups = { retention_days = 1, start_hour = 18 }
  }

  assert {
    condition     = google_backup_dr_backup_vault.homes["us-central1"].backup_minimum_enforced_retention_duration == "86400s"
    error_message = "A vault cannot enforce more than its plan keeps."
  }

  assert {
    condition     = google_backup_dr_backup_plan.daily["us-central1"].backup_rules[0].standard_schedule[0].backup_window[0].end_hour_of_day == 24
    error_message = "The window ends with the day."
  }
}

run "no_backups" {
  command = plan

  variables {
    backups = null
  }

  assert {
    condition     = length(google_backup_dr_backup_vault.homes) == 0 && length(google_backup_dr_backup_plan_association.store) == 0
    error_message = "No backups."
  }
}

run "pods_and_labels" {
  command = plan

  variables {
    pod_ip_ranges = ["10.4.0.0/14"]
    labels        = { team = "data", hub = "all" }
    stores        = { main = { location = "us-central1-b", labels = { hub = "physics" } } }
  }

  assert {
    condition     = google_filestore_instance.store["main"].file_shares[0].nfs_export_options[0].ip_ranges == tolist(["10.128.0.0/20", "10.4.0.0/14"])
    error_message = "Nodes and pods."
  }

  assert {
    condition     = google_filestore_instance.store["main"].labels == tomap({ team = "data", hub = "physics" })
    error_message = "A label of the store comes before that of the module."
  }
}

run "restored_from_a_backup" {
  command = plan

  variables {
    stores = { main = { location = "us-central1-b", source_backup = "projects/p/locations/us-central1/backups/b" } }
  }

  assert {
    condition     = google_filestore_instance.store["main"].file_shares[0].source_backup == "projects/p/locations/us-central1/backups/b"
    error_message = "Where it comes from."
  }
}
