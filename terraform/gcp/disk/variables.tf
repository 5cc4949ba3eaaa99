variable "cluster_name" {
  description = "Name of the Kubernetes cluster. The names of all resources begin with it."
  type        = string

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$", var.cluster_name))
    error_message = "cluster_name is 1 to 30 lowercase letters, digits and hyphens, begins with a letter and does not end with a hyphen."
  }
}

variable "disks" {
  description = "The disks by name, one for each server in the cluster."
  type = map(object({
    # Zone of the disk, in which the server then runs.
    zone = string
    # Size in GiB: 10 to 65536, from 4 on with hyperdisk-balanced. It can grow and never shrink.
    size_gib = optional(number, 100)
    # pd-standard, pd-balanced, pd-ssd or hyperdisk-balanced.
    type = optional(string, "pd-balanced")
    # Snapshot that a new disk starts with: its name, or projects/PROJECT/global/snapshots/NAME.
    source_snapshot = optional(string)
    # Cloud KMS key instead of Google's own.
    kms_key_name = optional(string)
    # Labels of this disk, over those of the module.
    labels = optional(map(string), {})
  }))

  validation {
    condition     = length(var.disks) > 0
    error_message = "disks is empty: name at least one, such as { main = { zone = \"us-central1-b\" } }."
  }

  validation {
    condition     = alltrue([for name in keys(var.disks) : can(regex("^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$", name))])
    error_message = "A disk's name is 1 to 30 lowercase letters, digits and hyphens, begins with a letter and does not end with a hyphen. These are not: ${join(", ", [for name in keys(var.disks) : name if !can(regex("^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$", name))])}."
  }

  validation {
    condition     = alltrue([for d in var.disks : can(regex("^[a-z]+-[a-z]+[0-9]+-[a-z]$", d.zone))])
    error_message = "zone is a zone such as us-central1-b. Look at: ${join(", ", [for name, d in var.disks : "${name} (${d.zone})" if !can(regex("^[a-z]+-[a-z]+[0-9]+-[a-z]$", d.zone))])}."
  }

  validation {
    condition     = alltrue([for d in var.disks : contains(["pd-standard", "pd-balanced", "pd-ssd", "hyperdisk-balanced"], d.type)])
    error_message = "type is pd-standard, pd-balanced, pd-ssd or hyperdisk-balanced. Look at: ${join(", ", [for name, d in var.disks : "${name} (${d.type})" if !contains(["pd-standard", "pd-balanced", "pd-ssd", "hyperdisk-balanced"], d.type)])}."
  }

  validation {
    condition     = alltrue([for d in var.disks : d.size_gib >= (d.type == "hyperdisk-balanced" ? 4 : 10) && d.size_gib <= 65536 && floor(d.size_gib) == d.size_gib])
    error_message = "size_gib is 10 to 65536, from 4 on with hyperdisk-balanced, without fractions. These disks have: ${join(", ", [for name, d in var.disks : "${name} (${d.type}, ${d.size_gib})"])}."
  }

  validation {
    condition     = alltrue([for d in var.disks : alltrue([for k, v in d.labels : can(regex("^[a-z][a-z0-9_-]{0,62}$", k)) && can(regex("^[a-z0-9_-]{0,63}$", v))])])
    error_message = "Labels of Google Cloud are up to 63 lowercase letters, digits, underscores and hyphens; a key begins with a letter."
  }
}

variable "snapshots" {
  description = "Daily snapshots of all disks. null: none."
  type = object({
    # Days that a snapshot is kept.
    retention_days = optional(number, 30)
    # Hour, in UTC, in which a snapshot begins: 0, 4, 8, 12, 16 or 20.
    start_hour = optional(number, 4)
  })
  default = {}

  validation {
    condition     = var.snapshots == null || try(var.snapshots.retention_days >= 1 && var.snapshots.retention_days <= 3650 && floor(var.snapshots.retention_days) == var.snapshots.retention_days, false)
    error_message = "snapshots.retention_days is a number of days, 1 to 3650."
  }

  validation {
    condition     = var.snapshots == null || try(contains([0, 4, 8, 12, 16, 20], var.snapshots.start_hour), false)
    error_message = "snapshots.start_hour is 0, 4, 8, 12, 16 or 20: the hours in which Google begins daily snapshots."
  }
}

variable "labels" {
  description = "Labels of all resources that have labels."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for k, v in var.labels : can(regex("^[a-z][a-z0-9_-]{0,62}$", k)) && can(regex("^[a-z0-9_-]{0,63}$", v))])
    error_message = "Labels of Google Cloud are up to 63 lowercase letters, digits, underscores and hyphens; a key begins with a letter."
  }
}
