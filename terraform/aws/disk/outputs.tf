output "helm_values" {
  description = "For each disk, the text of a values file for the chart home-server."
  value = {
    for name, disk in aws_ebs_volume.homes : name => yamlencode({
      persistence = {
        volume = {
          driver       = "ebs.csi.aws.com"
          volumeHandle = disk.id
          zone         = disk.availability_zone
          capacity     = "${disk.size}Gi"
        }
      }
    })
  }
}

output "volume_handles" {
  description = "For each disk, its name in volumeHandle of a PersistentVolume."
  value       = { for name, disk in aws_ebs_volume.homes : name => disk.id }
}
