# What is planned, as far as it is known before it is there.

mock_provider "google" {}

variables {
  cluster_name = "c"
  disks        = { main = { zone = "us-central1-b" } }
}

run "a_disk_with_the_defaults" {
  command = plan

  assert {
    condition     = google_compute_disk.homes["main"].name == "c-main" && google_compute_disk.homes["main"].type == "pd-balanced" && google_compute_disk.homes["main"].size == 100
    error_message = "The disk."
  }

  assert {
    condition     = google_compute_resource_policy.daily["us-central1"].snapshot_schedule_policy[0].schedule[0].daily_schedule[0].start_time == "04:00"
    error_message = "When."
  }

  assert {
    condition     = google_compute_resource_policy.daily["us-central1"].snapshot_schedule_policy[0].retention_policy[0].on_source_disk_delete == "KEEP_AUTO_SNAPSHOTS"
    error_message = "Snapshots outlive the disk."
  }

  assert {
    condition     = google_compute_disk_resource_policy_attachment.homes["main"].disk == "c-main"
    error_message = "It has snapshots."
  }
}

run "own_key_and_no_snapshots" {
  command = plan

  variables {
    disks     = { main = { zone = "us-central1-b", type = "hyperdisk-balanced", size_gib = 4, kms_key_name = "k" } }
    snapshots = null
  }

  assert {
    condition     = google_compute_disk.homes["main"].disk_encryption_key[0].kms_key_self_link == "k"
    error_message = "Own key."
  }

  assert {
    condition     = length(google_compute_resource_policy.daily) == 0 && length(google_compute_disk_resource_policy_attachment.homes) == 0
    error_message = "No snapshots."
  }
}
