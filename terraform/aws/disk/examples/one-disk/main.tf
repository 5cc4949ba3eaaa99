# One disk for the server in the cluster, with a snapshot every day.

provider "aws" {
  region = "us-west-2"
}

module "disk" {
  source = "../.."

  cluster_name = "my-cluster"

  disks = {
    main = {
      availability_zone = "us-west-2a"
      size_gib          = 500
      throughput_mibps  = 250
    }
  }
}

output "helm_values" {
  value = module.disk.helm_values
}
