# One disk for the server in the cluster, with a snapshot every day.

provider "azurerm" {
  subscription_id = "00000000-0000-0000-0000-000000000000"

  features {}
}

module "disk" {
  source = "../.."

  cluster_name        = "my-cluster"
  resource_group_name = "my-cluster-homes"
  resource_group_id   = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/my-cluster-homes"
  location            = "westeurope"

  disks = {
    main = {
      zone     = "1"
      size_gib = 512
    }
  }
}

output "helm_values" {
  value = module.disk.helm_values
}
