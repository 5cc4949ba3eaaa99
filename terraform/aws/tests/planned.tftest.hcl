# What is planned, as far as it is known before it is there.

mock_provider "aws" {}

variables {
  cluster_name            = "c"
  vpc_id                  = "vpc-1"
  subnet_ids              = ["subnet-1", "subnet-2"]
  node_security_group_ids = ["sg-1", "sg-2"]
  stores                  = { main = {} }
}

run "a_store_with_the_defaults" {
  command = plan

  assert {
    condition     = aws_efs_file_system.store["main"].encrypted
    error_message = "Encrypted."
  }

  assert {
    condition     = aws_efs_file_system.store["main"].throughput_mode == "elastic" && aws_efs_file_system.store["main"].provisioned_throughput_in_mibps == null
    error_message = "Throughput."
  }

  assert {
    condition     = [for p in aws_efs_file_system.store["main"].lifecycle_policy : p.transition_to_ia if p.transition_to_ia != null] == ["AFTER_30_DAYS"]
    error_message = "To infrequent access."
  }

  assert {
    condition     = [for p in aws_efs_file_system.store["main"].lifecycle_policy : p.transition_to_primary_storage_class if p.transition_to_primary_storage_class != null] == ["AFTER_1_ACCESS"]
    error_message = "And back."
  }

  assert {
    condition     = length(aws_efs_file_system.store["main"].lifecycle_policy) == 2
    error_message = "In two blocks."
  }

  assert {
    condition     = aws_efs_file_system.store["main"].tags == tomap({ Name = "c-main" })
    error_message = "Its name."
  }

  assert {
    condition     = aws_efs_backup_policy.store["main"].backup_policy[0].status == "ENABLED"
    error_message = "It has backups."
  }

  assert {
    condition     = toset([for t in aws_efs_mount_target.store : t.subnet_id]) == toset(["subnet-1", "subnet-2"])
    error_message = "A mount target in each subnet."
  }

  assert {
    condition     = [for r in aws_vpc_security_group_ingress_rule.nodes : r.referenced_security_group_id] == ["sg-1", "sg-2"]
    error_message = "Only the nodes."
  }

  assert {
    condition     = alltrue([for r in aws_vpc_security_group_ingress_rule.nodes : r.from_port == 2049 && r.to_port == 2049 && r.ip_protocol == "tcp"])
    error_message = "Only NFS."
  }
}

run "two_stores" {
  command = plan

  variables {
    stores = { main = {}, physics = { throughput_mode = "provisioned", provisioned_throughput_mibps = 3414, infrequent_access_after_days = 0, tags = { hub = "physics" } } }
  }

  assert {
    condition     = length(aws_efs_mount_target.store) == 4
    error_message = "Each store in each subnet."
  }

  assert {
    condition     = length(aws_efs_file_system.store["physics"].lifecycle_policy) == 0
    error_message = "Never to infrequent access."
  }

  assert {
    condition     = aws_efs_file_system.store["physics"].tags["hub"] == "physics"
    error_message = "Who pays."
  }
}

run "a_day_to_infrequent_access" {
  command = plan

  variables {
    stores = { main = { infrequent_access_after_days = 1 } }
  }

  assert {
    condition     = aws_efs_file_system.store["main"].lifecycle_policy[0].transition_to_ia == "AFTER_1_DAY"
    error_message = "One day is a DAY."
  }
}

run "no_backups" {
  command = plan

  variables {
    backups = false
  }

  assert {
    condition     = aws_efs_backup_policy.store["main"].backup_policy[0].status == "DISABLED"
    error_message = "No backups."
  }
}
