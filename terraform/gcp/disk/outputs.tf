output "volumes" {
  description = "For each disk, what a PersistentVolume of the in-cluster server is made of: the CSI driver, the volume's handle, the zone as the nodes' label topology.kubernetes.io/zone has it, and the capacity."
  value = {
    for name, disk in google_compute_disk.homes : name => {
      driver       = "pd.csi.storage.gke.io"
      volumeHandle = disk.id
      zone         = disk.zone
      capacity     = "${disk.size}Gi"
    }
  }
}
