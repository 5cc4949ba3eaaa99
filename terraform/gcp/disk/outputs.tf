output "helm_values" {
  description = "For each disk, the text of a values file for the chart home-server."
  value = {
    for name, disk in google_compute_disk.homes : name => yamlencode({
      persistence = {
        volume = {
          driver       = "pd.csi.storage.gke.io"
          volumeHandle = disk.id
          zone         = disk.zone
          capacity     = "${disk.size}Gi"
        }
      }
    })
  }
}

output "volume_handles" {
  description = "For each disk, its name in volumeHandle of a PersistentVolume."
  value       = { for name, disk in google_compute_disk.homes : name => disk.id }
}
