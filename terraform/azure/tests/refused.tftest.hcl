# What is refused, before a cloud is asked.

mock_provider "azurerm" {}

variables {
  resource_group_name = "g"
  location            = "westeurope"
  subnet_ids          = ["/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/nodes"]
  stores              = { main = { account_name = "chomes" } }
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
    stores = { "1st" = { account_name = "chomes" } }
  }

  expect_failures = [var.stores]
}

run "account_name_with_a_hyphen" {
  command = plan

  variables {
    stores = { main = { account_name = "c-homes" } }
  }

  expect_failures = [var.stores]
}

run "account_name_too_short" {
  command = plan

  variables {
    stores = { main = { account_name = "ch" } }
  }

  expect_failures = [var.stores]
}

run "account_name_too_long" {
  command = plan

  variables {
    stores = { main = { account_name = "abcdefghijklmnopqrstuvwxy" } }
  }

  expect_failures = [var.stores]
}

run "account_name_twice" {
  command = plan

  variables {
    stores = { main = { account_name = "chomes" }, physics = { account_name = "chomes" } }
  }

  expect_failures = [var.stores]
}

run "too_small" {
  command = plan

  variables {
    stores = { main = { account_name = "chomes", size_gib = 99 } }
  }

  expect_failures = [var.stores]
}

run "too_large" {
  command = plan

  variables {
    stores = { main = { account_name = "chomes", size_gib = 102401 } }
  }

  expect_failures = [var.stores]
}

run "half_a_gib" {
  command = plan

  variables {
    stores = { main = { account_name = "chomes", size_gib = 100.5 } }
  }

  expect_failures = [var.stores]
}

run "replication_that_premium_lacks" {
  command = plan

  variables {
    stores = { main = { account_name = "chomes", replication = "GRS" } }
  }

  expect_failures = [var.stores]
}

run "no_resource_group" {
  command = plan

  variables {
    resource_group_name = ""
  }

  expect_failures = [var.resource_group_name]
}

run "no_location" {
  command = plan

  variables {
    location = ""
  }

  expect_failures = [var.location]
}

run "nobody" {
  command = plan

  variables {
    subnet_ids = []
  }

  expect_failures = [var.subnet_ids]
}

run "name_for_an_id" {
  command = plan

  variables {
    subnet_ids = ["nodes"]
  }

  expect_failures = [var.subnet_ids]
}

run "endpoint_without_dns" {
  command = plan

  variables {
    private_endpoint = { subnet_id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/nodes", private_dns_zone_ids = [] }
  }

  expect_failures = [var.private_endpoint]
}

run "no_soft_delete" {
  command = plan

  variables {
    soft_delete_days = 0
  }

  expect_failures = [var.soft_delete_days]
}

run "too_long_a_soft_delete" {
  command = plan

  variables {
    soft_delete_days = 366
  }

  expect_failures = [var.soft_delete_days]
}
