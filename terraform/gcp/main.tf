locals {
  # A zone is its region and a letter.
  regions = { for name, store in var.stores : name => replace(store.location, "/-[a-z]$/", "") }
  # Backups stay in the region: one vault and one plan for each that has stores.
  backup_regions = var.backups == null ? toset([]) : toset(values(local.regions))
  # In seconds. A vault that enforced more than its plan keeps would be refused.
  backup_enforced = var.backups == null ? null : "${min(var.backups.retention_days, 7) * 86400}s"
}

resource "google_filestore_instance" "store" {
  for_each = var.stores

  name     = "${var.cluster_name}-${each.key}"
  location = each.value.location
  tier     = each.value.tier
  protocol = each.value.protocol

  kms_key_name = each.value.kms_key_name
  labels       = merge(var.labels, each.value.labels)

  file_shares {
    name          = "homes"
    capacity_gb   = each.value.capacity_gib
    source_backup = each.value.source_backup

    # Without this block everybody in the network may mount. The share creator gives directories to their owner, which takes
    # root: no squash.
    nfs_export_options {
      ip_ranges   = concat(var.node_ip_ranges, var.pod_ip_ranges)
      access_mode = "READ_WRITE"
      squash_mode = "NO_ROOT_SQUASH"
    }
  }

  networks {
    network      = var.network
    modes        = ["MODE_IPV4"]
    connect_mode = var.connect_mode
  }

  # prevent_destroy goes with the module's block; this one stays with the instance.
  deletion_protection_enabled = true
  deletion_protection_reason  = "Home directories of JupyterHub users"

  lifecycle {
    prevent_destroy = true
    # Where a store came from is of no interest once it is there, and a change would replace it.
    ignore_changes = [file_shares[0].source_backup]
  }
}

resource "google_backup_dr_backup_vault" "homes" {
  for_each = local.backup_regions

  backup_vault_id                            = "${var.cluster_name}-homes"
  location                                   = each.key
  backup_minimum_enforced_retention_duration = local.backup_enforced
  access_restriction                         = "WITHIN_PROJECT"
  description                                = "Backups of the home directories of cluster ${var.cluster_name}"
  labels                                     = var.labels

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_backup_dr_backup_plan" "daily" {
  for_each = local.backup_regions

  backup_plan_id = "${var.cluster_name}-homes-daily"
  location       = each.key
  resource_type  = "file.googleapis.com/Instance"
  backup_vault   = google_backup_dr_backup_vault.homes[each.key].id

  backup_rules {
    rule_id               = "daily"
    backup_retention_days = var.backups.retention_days

    standard_schedule {
      recurrence_type = "DAILY"
      time_zone       = "UTC"

      # The service wants six hours at least.
      backup_window {
        start_hour_of_day = var.backups.start_hour
        end_hour_of_day   = var.backups.start_hour + 6
      }
    }
  }
}

resource "google_backup_dr_backup_plan_association" "store" {
  for_each = var.backups == null ? {} : local.regions

  backup_plan_association_id = "${var.cluster_name}-${each.key}"
  location                   = each.value
  resource_type              = "file.googleapis.com/Instance"
  resource                   = google_filestore_instance.store[each.key].id
  backup_plan                = google_backup_dr_backup_plan.daily[each.value].name
}
