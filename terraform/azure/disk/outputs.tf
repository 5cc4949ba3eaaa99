output "helm_values" {
  description = "For each disk, the text of a values file for the chart home-server."
  value = {
    for name, disk in azurerm_managed_disk.homes : name => yamlencode({
      persistence = {
        volume = {
          driver       = "disk.csi.azure.com"
          volumeHandle = disk.id
          # A disk in all zones has none.
          zone     = disk.zone == null ? "" : "${disk.location}-${disk.zone}"
          capacity = "${disk.disk_size_gb}Gi"
        }
      }
    })
  }
}

output "volume_handles" {
  description = "For each disk, its name in volumeHandle of a PersistentVolume."
  value       = { for name, disk in azurerm_managed_disk.homes : name => disk.id }
}
