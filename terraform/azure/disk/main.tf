locals {
  protected = var.snapshots == null ? {} : var.disks
}

resource "azurerm_managed_disk" "homes" {
  for_each = var.disks

  name                 = "${var.cluster_name}-${each.key}"
  resource_group_name  = var.resource_group_name
  location             = var.location
  zone                 = each.value.zone
  storage_account_type = each.value.type
  disk_size_gb         = each.value.size_gib
  create_option        = each.value.source_resource_id == null ? "Empty" : "Copy"
  source_resource_id   = each.value.source_resource_id

  # Disks are encrypted in any case; this is whose key it is.
  disk_encryption_set_id = each.value.disk_encryption_set_id

  # Nobody downloads it: a node attaches it, and snapshots are made where it is.
  public_network_access_enabled = false
  network_access_policy         = "DenyAll"

  tags = merge(var.tags, each.value.tags)

  lifecycle {
    prevent_destroy = true
    # Where a disk came from is of no interest once it is there, and a change would replace it.
    ignore_changes = [create_option, source_resource_id]
  }
}

resource "azurerm_data_protection_backup_vault" "homes" {
  count = var.snapshots == null ? 0 : 1

  name                = "${var.cluster_name}-homes"
  resource_group_name = var.resource_group_name
  location            = var.location
  # Of disks there are snapshots alone, beside the disk; the vault holds their list.
  datastore_type = "OperationalStore"
  redundancy     = "LocallyRedundant"
  soft_delete    = "On"
  tags           = var.tags

  identity {
    type = "SystemAssigned"
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "azurerm_role_assignment" "read_disk" {
  for_each = local.protected

  scope                = azurerm_managed_disk.homes[each.key].id
  role_definition_name = "Disk Backup Reader"
  principal_id         = azurerm_data_protection_backup_vault.homes[0].identity[0].principal_id
}

resource "azurerm_role_assignment" "make_snapshots" {
  count = var.snapshots == null ? 0 : 1

  scope                = var.resource_group_id
  role_definition_name = "Disk Snapshot Contributor"
  principal_id         = azurerm_data_protection_backup_vault.homes[0].identity[0].principal_id
}

resource "azurerm_data_protection_backup_policy_disk" "daily" {
  count = var.snapshots == null ? 0 : 1

  # Azure changes no policy, and removes none that a disk has. So another one has another name: it is made, the disks get
  # it, and then the old one goes.
  name                            = "${var.cluster_name}-homes-daily-${format("%02d", var.snapshots.start_hour)}h-${var.snapshots.retention_days}d"
  vault_id                        = azurerm_data_protection_backup_vault.homes[0].id
  backup_repeating_time_intervals = [format("R/2025-01-01T%02d:00:00+00:00/P1D", var.snapshots.start_hour)]
  default_retention_duration      = "P${var.snapshots.retention_days}D"

  lifecycle {
    create_before_destroy = true
  }
}

resource "azurerm_data_protection_backup_instance_disk" "homes" {
  for_each = local.protected

  name                         = "${var.cluster_name}-${each.key}"
  location                     = var.location
  vault_id                     = azurerm_data_protection_backup_vault.homes[0].id
  disk_id                      = azurerm_managed_disk.homes[each.key].id
  snapshot_resource_group_name = var.resource_group_name
  backup_policy_id             = azurerm_data_protection_backup_policy_disk.daily[0].id

  depends_on = [azurerm_role_assignment.read_disk, azurerm_role_assignment.make_snapshots]
}
