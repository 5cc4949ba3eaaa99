# What is planned, as far as it is known before it is there.

mock_provider "azurerm" {}

variables {
  cluster_name        = "c"
  resource_group_name = "g"
  resource_group_id   = "/subscriptions/s/resourceGroups/g"
  location            = "westeurope"
  disks               = { main = { zone = "1" } }
}

run "a_disk_with_the_defaults" {
  command = plan

  assert {
    condition     = azurerm_managed_disk.homes["main"].name == "c-main" && azurerm_managed_disk.homes["main"].storage_account_type == "Premium_LRS" && azurerm_managed_disk.homes["main"].create_option == "Empty"
    error_message = "The disk."
  }

  assert {
    condition     = azurerm_managed_disk.homes["main"].network_access_policy == "DenyAll" && azurerm_managed_disk.homes["main"].public_network_access_enabled == false
    error_message = "Nobody downloads it."
  }

  assert {
    condition     = azurerm_data_protection_backup_policy_disk.daily[0].backup_repeating_time_intervals == tolist(["R/2025-01-01T04:00:00+00:00/P1D"]) && azurerm_data_protection_backup_policy_disk.daily[0].default_retention_duration == "P30D"
    error_message = "When, and for how long."
  }

  assert {
    condition     = azurerm_data_protection_backup_instance_disk.homes["main"].snapshot_resource_group_name == "g"
    error_message = "It has snapshots."
  }

  assert {
    condition     = azurerm_role_assignment.make_snapshots[0].scope == "/subscriptions/s/resourceGroups/g"
    error_message = "May make them there."
  }
}

run "other_snapshots_are_another_policy" {
  command = plan

  variables {
    snapshots = { retention_days = 7, start_hour = 22 }
  }

  assert {
    condition     = azurerm_data_protection_backup_policy_disk.daily[0].name == "c-homes-daily-22h-7d" && azurerm_data_protection_backup_policy_disk.daily[0].default_retention_duration == "P7D"
    error_message = "Its name says what it does: none can be changed."
  }
}

run "in_all_zones_and_no_snapshots" {
  command = plan

  variables {
    disks             = { main = { type = "Premium_ZRS", source_resource_id = "/subscriptions/s/snapshots/old" } }
    snapshots         = null
    resource_group_id = null
  }

  assert {
    condition     = azurerm_managed_disk.homes["main"].create_option == "Copy"
    error_message = "From a snapshot."
  }

  assert {
    condition     = length(azurerm_data_protection_backup_vault.homes) == 0 && length(azurerm_role_assignment.read_disk) == 0
    error_message = "No snapshots."
  }
}
