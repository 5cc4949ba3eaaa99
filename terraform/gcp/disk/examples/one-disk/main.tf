# One disk for the server in the cluster, with a snapshot every day.

provider "google" {
  project = "my-project"
  region  = "us-central1"
}

module "disk" {
  source = "../.."

  cluster_name = "my-cluster"

  disks = {
    main = {
      zone     = "us-central1-b"
      size_gib = 500
      type     = "pd-ssd"
    }
  }
}

output "helm_values" {
  value = module.disk.helm_values
}
