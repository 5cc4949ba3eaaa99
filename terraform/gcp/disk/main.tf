locals {
  # A zone is its region and a letter. Schedules are regional.
  regions = { for name, disk in var.disks : name => replace(disk.zone, "/-[a-z]$/", "") }
}

resource "google_compute_disk" "homes" {
  for_each = var.disks

  name     = "${var.cluster_name}-${each.key}"
  zone     = each.value.zone
  type     = each.value.type
  size     = each.value.size_gib
  snapshot = each.value.source_snapshot
  labels   = merge(var.labels, each.value.labels)

  # Disks are encrypted in any case; this is whose key it is.
  dynamic "disk_encryption_key" {
    for_each = each.value.kms_key_name == null ? [] : [each.value.kms_key_name]
    content {
      kms_key_self_link = disk_encryption_key.value
    }
  }

  lifecycle {
    prevent_destroy = true
    # Where a disk came from is of no interest once it is there, and a change would replace it.
    ignore_changes = [snapshot]
  }
}

resource "google_compute_resource_policy" "daily" {
  for_each = var.snapshots == null ? toset([]) : toset(values(local.regions))

  name        = "${var.cluster_name}-homes-daily"
  region      = each.key
  description = "Snapshots of the home directories of cluster ${var.cluster_name}"

  snapshot_schedule_policy {
    schedule {
      daily_schedule {
        days_in_cycle = 1
        start_time    = format("%02d:00", var.snapshots.start_hour)
      }
    }

    # Snapshots outlive the disk: whoever deletes it has them left.
    retention_policy {
      max_retention_days    = var.snapshots.retention_days
      on_source_disk_delete = "KEEP_AUTO_SNAPSHOTS"
    }

    snapshot_properties {
      labels = var.labels
    }
  }
}

resource "google_compute_disk_resource_policy_attachment" "homes" {
  for_each = var.snapshots == null ? {} : var.disks

  name = google_compute_resource_policy.daily[local.regions[each.key]].name
  disk = google_compute_disk.homes[each.key].name
  zone = each.value.zone
}
