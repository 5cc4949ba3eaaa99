# One store with an address in the cluster's network, and no way to it from anywhere else.

provider "azurerm" {
  subscription_id     = "00000000-0000-0000-0000-000000000000"
  storage_use_azuread = true

  features {
    storage {
      # The account turns away everybody outside the cluster's network, and so the machine that Terraform runs on.
      data_plane_available = false
    }
  }
}

module "homes" {
  source = "../.."

  resource_group_name = "my-cluster"
  location            = "westeurope"

  private_endpoint = {
    subnet_id            = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/my-cluster/providers/Microsoft.Network/virtualNetworks/my-cluster/subnets/endpoints"
    private_dns_zone_ids = ["/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/my-cluster/providers/Microsoft.Network/privateDnsZones/privatelink.file.core.windows.net"]
  }

  stores = {
    main = { account_name = "myclusterhomes" }
  }
}

output "helm_values" {
  value = module.homes.helm_values
}
