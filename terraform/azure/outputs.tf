output "helm_values" {
  description = "For each store, the text of a values file for the chart homes."
  value = {
    for name, share in azurerm_storage_share.store : name => yamlencode({
      nfs = {
        enabled = true
        pv = {
          enabled       = true
          serverIP      = azurerm_storage_account.store[name].primary_file_host
          baseShareName = "/${azurerm_storage_account.store[name].name}/${share.name}/"
          # Azure Files speaks NFSv4.1 and no other.
          mountOptions = ["hard", "noatime", "nosuid", "nodev", "vers=4", "minorversion=1", "sec=sys"]
        }
        shareCreator = {
          enabled = true
        }
      }
    })
  }
  depends_on = [azurerm_private_endpoint.store]
}

output "server_addresses" {
  description = "For each store, the name that it is mounted from."
  value       = { for name, account in azurerm_storage_account.store : name => account.primary_file_host }
  depends_on  = [azurerm_private_endpoint.store]
}

output "storage_account_ids" {
  description = "For each store, the id of its storage account, for alerts and for `terraform import`."
  value       = { for name, account in azurerm_storage_account.store : name => account.id }
}
