variable "cluster_name" {
  description = "Name of the Kubernetes cluster. The names of all resources begin with it."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9]([A-Za-z0-9_-]{0,28}[A-Za-z0-9])?$", var.cluster_name))
    error_message = "cluster_name is 1 to 30 letters, digits, underscores and hyphens, and begins and ends with a letter or digit."
  }
}

variable "disks" {
  description = "The disks by name, one for each server in the cluster."
  type = map(object({
    # Zone of the disk, in which the server then runs.
    availability_zone = string
    # Size in GiB: 1 to 65536. It can grow and never shrink.
    size_gib = optional(number, 100)
    # Operations a second of the gp3 volume, 3000 to 80000. null: 3000, which cost nothing extra.
    iops = optional(number)
    # MiB/s of the gp3 volume, 125 to 2000. null: 125, which cost nothing extra.
    throughput_mibps = optional(number)
    # Snapshot that a new disk starts with.
    source_snapshot_id = optional(string)
    # ARN of a KMS key instead of AWS's own for EBS.
    kms_key_arn = optional(string)
    # Tags of this disk, over those of the module.
    tags = optional(map(string), {})
  }))

  validation {
    condition     = length(var.disks) > 0
    error_message = "disks is empty: name at least one, such as { main = { availability_zone = \"us-west-2a\" } }."
  }

  validation {
    condition     = alltrue([for name in keys(var.disks) : can(regex("^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$", name))])
    error_message = "A disk's name is 1 to 30 lowercase letters, digits and hyphens, begins with a letter and does not end with a hyphen. These are not: ${join(", ", [for name in keys(var.disks) : name if !can(regex("^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$", name))])}."
  }

  validation {
    condition     = alltrue([for d in var.disks : can(regex("^[a-z]{2}(-[a-z0-9]+)+-[0-9]+[a-z]$", d.availability_zone))])
    error_message = "availability_zone is a zone such as us-west-2a. Look at: ${join(", ", [for name, d in var.disks : "${name} (${d.availability_zone})" if !can(regex("^[a-z]{2}(-[a-z0-9]+)+-[0-9]+[a-z]$", d.availability_zone))])}."
  }

  validation {
    condition     = alltrue([for d in var.disks : d.size_gib >= 1 && d.size_gib <= 65536 && floor(d.size_gib) == d.size_gib])
    error_message = "size_gib is 1 to 65536, without fractions. Look at: ${join(", ", [for name, d in var.disks : "${name} (${d.size_gib})" if !(d.size_gib >= 1 && d.size_gib <= 65536 && floor(d.size_gib) == d.size_gib)])}."
  }

  validation {
    condition     = alltrue([for d in var.disks : d.iops == null || try(d.iops >= 3000 && d.iops <= 80000 && d.iops <= max(3000, 500 * d.size_gib), false)])
    error_message = "iops is 3000 to 80000, and at most 500 for each GiB."
  }

  validation {
    condition     = alltrue([for d in var.disks : d.throughput_mibps == null || try(d.throughput_mibps >= 125 && d.throughput_mibps <= 2000 && 4 * d.throughput_mibps <= coalesce(d.iops, 3000), false)])
    error_message = "throughput_mibps is 125 to 2000, and at most a quarter of iops."
  }
}

variable "snapshots" {
  description = "Daily snapshots of all disks by the Data Lifecycle Manager. null: none."
  type = object({
    # How many snapshots are kept of each disk, one a day.
    retention_days = optional(number, 30)
    # Hour, in UTC, in which a snapshot begins: 0 to 23.
    start_hour = optional(number, 4)
  })
  default = {}

  validation {
    condition     = var.snapshots == null || try(var.snapshots.retention_days >= 1 && var.snapshots.retention_days <= 1000 && floor(var.snapshots.retention_days) == var.snapshots.retention_days, false)
    error_message = "snapshots.retention_days is a number of days, 1 to 1000."
  }

  validation {
    condition     = var.snapshots == null || try(var.snapshots.start_hour >= 0 && var.snapshots.start_hour <= 23 && floor(var.snapshots.start_hour) == var.snapshots.start_hour, false)
    error_message = "snapshots.start_hour is an hour, 0 to 23."
  }
}

variable "tags" {
  description = "Tags of all resources that have tags."
  type        = map(string)
  default     = {}
}
