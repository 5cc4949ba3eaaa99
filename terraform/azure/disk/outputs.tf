output "volumes" {
  description = "For each disk, what a PersistentVolume of the in-cluster server is made of: the CSI driver, the volume's handle, the zone as the nodes' label topology.kubernetes.io/zone has it (null: any zone), and the capacity."
  value = {
    for name, disk in azurerm_managed_disk.homes : name => {
      driver       = "disk.csi.azure.com"
      volumeHandle = disk.id
      zone         = disk.zone == null ? null : "${disk.location}-${disk.zone}"
      capacity     = "${disk.disk_size_gb}Gi"
    }
  }
}
