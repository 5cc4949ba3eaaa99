# One store for all hubs, and one for the physics hub, which pays for its own.

provider "azurerm" {
  subscription_id     = "00000000-0000-0000-0000-000000000000"
  storage_use_azuread = true

  features {
    storage {
      # The accounts turn away everybody outside the cluster's network, and so the machine that Terraform runs on.
      data_plane_available = false
    }
  }
}

module "homes" {
  source = "../.."

  resource_group_name = "my-cluster"
  location            = "westeurope"
  subnet_ids          = ["/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/my-cluster/providers/Microsoft.Network/virtualNetworks/my-cluster/subnets/nodes"]

  stores = {
    main = {
      account_name = "myclusterhomes"
      size_gib     = 1024
      tags         = { hub = "all" }
    }
    physics = {
      account_name = "myclusterphysics"
      replication  = "LRS"
      tags         = { hub = "physics" }
    }
  }

  tags = { managed-by = "terraform" }
}

output "helm_values" {
  value = module.homes.helm_values
}
