# What is refused, before a cloud is asked.

mock_provider "aws" {}

variables {
  cluster_name            = "c"
  vpc_id                  = "vpc-1"
  subnet_ids              = ["subnet-1", "subnet-2"]
  node_security_group_ids = ["sg-1", "sg-2"]
  stores                  = { main = {} }
}

run "bad_cluster_name" {
  command = plan

  variables {
    cluster_name = "a cluster"
  }

  expect_failures = [var.cluster_name]
}

run "no_store" {
  command = plan

  variables {
    stores = {}
  }

  expect_failures = [var.stores]
}

run "bad_store_name" {
  command = plan

  variables {
    stores = { "Physics" = {} }
  }

  expect_failures = [var.stores]
}

run "unknown_throughput_mode" {
  command = plan

  variables {
    stores = { main = { throughput_mode = "fast" } }
  }

  expect_failures = [var.stores]
}

run "provisioned_without_throughput" {
  command = plan

  variables {
    stores = { main = { throughput_mode = "provisioned" } }
  }

  expect_failures = [var.stores]
}

run "throughput_without_provisioned" {
  command = plan

  variables {
    stores = { main = { provisioned_throughput_mibps = 10 } }
  }

  expect_failures = [var.stores]
}

run "no_throughput" {
  command = plan

  variables {
    stores = { main = { throughput_mode = "provisioned", provisioned_throughput_mibps = 0 } }
  }

  expect_failures = [var.stores]
}

run "too_much_throughput" {
  command = plan

  variables {
    stores = { main = { throughput_mode = "provisioned", provisioned_throughput_mibps = 3415 } }
  }

  expect_failures = [var.stores]
}

run "bad_days_to_infrequent_access" {
  command = plan

  variables {
    stores = { main = { infrequent_access_after_days = 31 } }
  }

  expect_failures = [var.stores]
}

run "bad_key" {
  command = plan

  variables {
    stores = { main = { kms_key_arn = "my-key" } }
  }

  expect_failures = [var.stores]
}

run "bad_vpc" {
  command = plan

  variables {
    vpc_id = "default"
  }

  expect_failures = [var.vpc_id]
}

run "no_subnet" {
  command = plan

  variables {
    subnet_ids = []
  }

  expect_failures = [var.subnet_ids]
}

run "bad_subnet" {
  command = plan

  variables {
    subnet_ids = ["10.0.0.0/24"]
  }

  expect_failures = [var.subnet_ids]
}

run "subnet_twice" {
  command = plan

  variables {
    subnet_ids = ["subnet-1", "subnet-1"]
  }

  expect_failures = [var.subnet_ids]
}

run "no_security_group" {
  command = plan

  variables {
    node_security_group_ids = []
  }

  expect_failures = [var.node_security_group_ids]
}

run "bad_security_group" {
  command = plan

  variables {
    node_security_group_ids = ["nodes"]
  }

  expect_failures = [var.node_security_group_ids]
}
