# What is planned, as far as it is known before it is there.

mock_provider "azurerm" {}

variables {
  resource_group_name = "g"
  location            = "westeurope"
  subnet_ids          = ["/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/nodes"]
  stores              = { main = { account_name = "chomes" } }
}

run "a_store_with_the_defaults" {
  command = plan

  assert {
    condition     = azurerm_storage_account.store["main"].account_kind == "FileStorage" && azurerm_storage_account.store["main"].account_tier == "Premium"
    error_message = "The kind that has NFS."
  }

  assert {
    condition     = azurerm_storage_account.store["main"].account_replication_type == "ZRS"
    error_message = "In three zones."
  }

  assert {
    condition     = azurerm_storage_account.store["main"].https_traffic_only_enabled == false
    error_message = "NFS is not HTTPS."
  }

  assert {
    condition     = azurerm_storage_account.store["main"].network_rules[0].default_action == "Deny"
    error_message = "Nobody,"
  }

  assert {
    condition     = azurerm_storage_account.store["main"].network_rules[0].virtual_network_subnet_ids == toset(["/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/nodes"])
    error_message = "but the nodes."
  }

  assert {
    condition     = azurerm_storage_account.store["main"].shared_access_key_enabled == false && azurerm_storage_account.store["main"].min_tls_version == "TLS1_2"
    error_message = "No keys, no old TLS."
  }

  assert {
    condition     = azurerm_storage_account.store["main"].share_properties[0].retention_policy[0].days == 30
    error_message = "A deleted share comes back."
  }

  assert {
    condition     = azurerm_storage_share.store["main"].enabled_protocol == "NFS" && azurerm_storage_share.store["main"].name == "homes" && azurerm_storage_share.store["main"].quota == 100
    error_message = "The share."
  }

  assert {
    condition     = length(azurerm_private_endpoint.store) == 0
    error_message = "No endpoint."
  }
}

run "only_by_the_endpoint" {
  command = plan

  variables {
    subnet_ids       = []
    private_endpoint = { subnet_id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/nodes", private_dns_zone_ids = ["zone"] }
    stores           = { main = { account_name = "chomes" }, physics = { account_name = "cphysics", replication = "LRS", size_gib = 102400, tags = { hub = "physics" } } }
  }

  assert {
    condition     = alltrue([for a in azurerm_storage_account.store : a.public_network_access_enabled == false])
    error_message = "Not from outside."
  }

  assert {
    condition     = alltrue([for e in azurerm_private_endpoint.store : e.private_service_connection[0].subresource_names == tolist(["file"])])
    error_message = "An address for files."
  }

  assert {
    condition     = azurerm_storage_account.store["physics"].tags == tomap({ hub = "physics" }) && azurerm_storage_share.store["physics"].quota == 102400
    error_message = "The second store."
  }
}
