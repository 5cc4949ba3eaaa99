locals {
  # The Data Lifecycle Manager finds the disks by this tag.
  snapshot_tag = { "hubhome/snapshots" = var.cluster_name }
}

resource "aws_ebs_volume" "homes" {
  for_each = var.disks

  availability_zone = each.value.availability_zone
  type              = "gp3"
  size              = each.value.size_gib
  iops              = each.value.iops
  throughput        = each.value.throughput_mibps
  encrypted         = true
  kms_key_id        = each.value.kms_key_arn
  snapshot_id       = each.value.source_snapshot_id

  tags = merge(var.tags, local.snapshot_tag, { Name = "${var.cluster_name}-${each.key}" }, each.value.tags)

  lifecycle {
    prevent_destroy = true
    # Where a disk came from is of no interest once it is there, and a change would replace it.
    ignore_changes = [snapshot_id]
  }
}

data "aws_partition" "current" {}

resource "aws_iam_role" "snapshots" {
  count = var.snapshots == null ? 0 : 1

  name        = "${var.cluster_name}-homes-snapshots"
  description = "Lets the Data Lifecycle Manager make and remove snapshots"
  tags        = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "dlm.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "snapshots" {
  count = var.snapshots == null ? 0 : 1

  role       = aws_iam_role.snapshots[0].name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AWSDataLifecycleManagerServiceRole"
}

resource "aws_dlm_lifecycle_policy" "daily" {
  count = var.snapshots == null ? 0 : 1

  # The service takes letters, digits, spaces, underscores and hyphens here.
  description        = "Home directories of cluster ${var.cluster_name}"
  execution_role_arn = aws_iam_role.snapshots[0].arn
  tags               = var.tags

  policy_details {
    resource_types = ["VOLUME"]
    target_tags    = local.snapshot_tag

    schedule {
      name      = "daily"
      copy_tags = true

      create_rule {
        interval      = 24
        interval_unit = "HOURS"
        times         = [format("%02d:00", var.snapshots.start_hour)]
      }

      # By number and not by age: when snapshots fail, the last good ones stay.
      retain_rule {
        count = var.snapshots.retention_days
      }
    }
  }

  depends_on = [aws_iam_role_policy_attachment.snapshots]
}
