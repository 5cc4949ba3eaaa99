locals {
  # The keys are known before the subnets are: a store and a place in the list.
  mount_targets = merge([
    for name in keys(var.stores) : {
      for index, subnet in var.subnet_ids : "${name}-${index}" => { store = name, subnet = subnet }
    }
  ]...)
}

resource "aws_efs_file_system" "store" {
  for_each = var.stores

  creation_token = "${var.cluster_name}-${each.key}"
  encrypted      = true
  kms_key_id     = each.value.kms_key_arn

  throughput_mode                 = each.value.throughput_mode
  provisioned_throughput_in_mibps = each.value.provisioned_throughput_mibps

  # A block for each transition: EFS refuses both in one.
  dynamic "lifecycle_policy" {
    for_each = each.value.infrequent_access_after_days == 0 ? [] : [
      { to_ia = each.value.infrequent_access_after_days == 1 ? "AFTER_1_DAY" : "AFTER_${each.value.infrequent_access_after_days}_DAYS", back = null },
      { to_ia = null, back = "AFTER_1_ACCESS" },
    ]
    content {
      transition_to_ia                    = lifecycle_policy.value.to_ia
      transition_to_primary_storage_class = lifecycle_policy.value.back
    }
  }

  # No replication may write over it.
  protection {
    replication_overwrite = "ENABLED"
  }

  tags = merge(var.tags, { Name = "${var.cluster_name}-${each.key}" }, each.value.tags)

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_efs_backup_policy" "store" {
  for_each = aws_efs_file_system.store

  file_system_id = each.value.id

  backup_policy {
    status = var.backups ? "ENABLED" : "DISABLED"
  }
}

resource "aws_security_group" "store" {
  name        = "${var.cluster_name}-homes"
  description = "NFS from the nodes of cluster ${var.cluster_name} to its home directories"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.cluster_name}-homes" })
}

# By its place in the list, which is known before the groups are.
resource "aws_vpc_security_group_ingress_rule" "nodes" {
  count = length(var.node_security_group_ids)

  security_group_id            = aws_security_group.store.id
  referenced_security_group_id = var.node_security_group_ids[count.index]
  description                  = "NFS from nodes"
  ip_protocol                  = "tcp"
  from_port                    = 2049
  to_port                      = 2049
  tags                         = var.tags
}

resource "aws_efs_mount_target" "store" {
  for_each = local.mount_targets

  file_system_id  = aws_efs_file_system.store[each.value.store].id
  subnet_id       = each.value.subnet
  security_groups = [aws_security_group.store.id]
}
