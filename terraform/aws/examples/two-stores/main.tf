# One store for all hubs, and one for the physics hub, which pays for its own. Both have daily backups.

provider "aws" {
  region = "us-west-2"
}

module "homes" {
  source = "../.."

  cluster_name            = "my-cluster"
  vpc_id                  = "vpc-0123456789abcdef0"
  subnet_ids              = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  node_security_group_ids = ["sg-0123456789abcdef0"]

  stores = {
    main = {
      tags = { hub = "all" }
    }
    physics = {
      throughput_mode              = "provisioned"
      provisioned_throughput_mibps = 64
      tags                         = { hub = "physics" }
    }
  }

  tags = { managed-by = "terraform" }
}

output "helm_values" {
  value = module.homes.helm_values
}
