output "volumes" {
  description = "For each disk, what a PersistentVolume of the in-cluster server is made of: the CSI driver, the volume's handle, the zone as the nodes' label topology.kubernetes.io/zone has it, and the capacity."
  value = {
    for name, disk in aws_ebs_volume.homes : name => {
      driver       = "ebs.csi.aws.com"
      volumeHandle = disk.id
      zone         = disk.availability_zone
      capacity     = "${disk.size}Gi"
    }
  }
}
