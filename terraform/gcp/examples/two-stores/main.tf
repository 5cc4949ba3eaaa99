# One store for all hubs, and one for the physics hub, which pays for its own. Both have daily backups.

provider "google" {
  project = "my-project"
  region  = "us-central1"
}

module "homes" {
  source = "../.."

  cluster_name   = "my-cluster"
  network        = "default"
  node_ip_ranges = ["10.128.0.0/20"]
  pod_ip_ranges  = ["10.4.0.0/14"]

  stores = {
    main = {
      location = "us-central1-b"
      labels   = { hub = "all" }
    }
    physics = {
      tier         = "REGIONAL"
      location     = "us-central1"
      capacity_gib = 2048
      protocol     = "NFS_V4_1"
      labels       = { hub = "physics" }
    }
  }

  labels = { managed-by = "terraform" }
}

output "helm_values" {
  value = module.homes.helm_values
}
