output "helm_values" {
  description = "For each store, the text of a values file for the chart homes."
  value = {
    for name, store in google_filestore_instance.store : name => yamlencode({
      nfs = {
        enabled = true
        pv = {
          enabled       = true
          serverIP      = store.networks[0].ip_addresses[0]
          baseShareName = "/homes/"
          mountOptions  = ["hard", "noatime", "nosuid", "nodev", store.protocol == "NFS_V4_1" ? "vers=4.1" : "vers=3"]
        }
        shareCreator = {
          enabled = true
        }
      }
    })
  }
}

output "server_addresses" {
  description = "For each store, the address that it is mounted from."
  value       = { for name, store in google_filestore_instance.store : name => store.networks[0].ip_addresses[0] }
}

output "instance_ids" {
  description = "For each store, the id of its Filestore instance, for alerts and for `terraform import`."
  value       = { for name, store in google_filestore_instance.store : name => store.id }
}
