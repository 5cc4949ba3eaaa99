resource "azurerm_storage_account" "store" {
  for_each = var.stores

  name                = each.value.account_name
  resource_group_name = var.resource_group_name
  location            = var.location

  # NFS is there on Premium file shares alone.
  account_kind             = "FileStorage"
  account_tier             = "Premium"
  account_replication_type = each.value.replication

  # "Secure transfer" would refuse every mount: NFS is neither HTTPS nor encrypted SMB. What is said in clear stays in the
  # cluster's network, and the rules below let nobody else speak.
  https_traffic_only_enabled = false
  min_tls_version            = "TLS1_2"

  public_network_access_enabled = length(var.subnet_ids) > 0
  network_rules {
    default_action             = "Deny"
    bypass                     = ["None"]
    virtual_network_subnet_ids = var.subnet_ids
  }

  # Keys and anonymous access are for the REST API, which nothing here speaks.
  shared_access_key_enabled        = false
  default_to_oauth_authentication  = true
  allow_nested_items_to_be_public  = false
  cross_tenant_replication_enabled = false

  share_properties {
    retention_policy {
      days = var.soft_delete_days
    }
  }

  tags = merge(var.tags, each.value.tags)

  lifecycle {
    prevent_destroy = true
  }
}

resource "azurerm_storage_share" "store" {
  for_each = azurerm_storage_account.store

  name               = "homes"
  storage_account_id = each.value.id
  enabled_protocol   = "NFS"
  quota              = var.stores[each.key].size_gib

  lifecycle {
    prevent_destroy = true
  }
}

resource "azurerm_private_endpoint" "store" {
  for_each = var.private_endpoint == null ? {} : var.stores

  name                = each.value.account_name
  resource_group_name = var.resource_group_name
  location            = var.location
  subnet_id           = var.private_endpoint.subnet_id
  tags                = merge(var.tags, each.value.tags)

  private_service_connection {
    name                           = each.value.account_name
    private_connection_resource_id = azurerm_storage_account.store[each.key].id
    subresource_names              = ["file"]
    is_manual_connection           = false
  }

  private_dns_zone_group {
    name                 = "default"
    private_dns_zone_ids = var.private_endpoint.private_dns_zone_ids
  }
}
