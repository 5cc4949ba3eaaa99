variable "cluster_name" {
  description = "Name of the Kubernetes cluster. The names of all resources begin with it."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9]([A-Za-z0-9-]{0,28}[A-Za-z0-9])?$", var.cluster_name))
    error_message = "cluster_name is 1 to 30 letters, digits and hyphens, and begins and ends with a letter or digit."
  }
}

variable "disks" {
  description = "The disks by name, one for each server in the cluster."
  type = map(object({
    # Zone of the disk, 1, 2 or 3, in which the server then runs. A ZRS disk is in all zones and has none.
    zone = optional(string)
    # Size in GiB: 1 to 32767. It can grow and never shrink.
    size_gib = optional(number, 128)
    # Premium_LRS, Premium_ZRS, PremiumV2_LRS, StandardSSD_LRS or StandardSSD_ZRS.
    type = optional(string, "Premium_LRS")
    # Id of a snapshot or a disk that a new disk starts with.
    source_resource_id = optional(string)
    # Id of a disk encryption set with a key of one's own, instead of Microsoft's.
    disk_encryption_set_id = optional(string)
    # Tags of this disk, over those of the module.
    tags = optional(map(string), {})
  }))

  validation {
    condition     = length(var.disks) > 0
    error_message = "disks is empty: name at least one, such as { main = { zone = \"1\" } }."
  }

  validation {
    condition     = alltrue([for name in keys(var.disks) : can(regex("^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$", name))])
    error_message = "A disk's name is 1 to 30 lowercase letters, digits and hyphens, begins with a letter and does not end with a hyphen. These are not: ${join(", ", [for name in keys(var.disks) : name if !can(regex("^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$", name))])}."
  }

  validation {
    condition     = alltrue([for d in var.disks : contains(["Premium_LRS", "Premium_ZRS", "PremiumV2_LRS", "StandardSSD_LRS", "StandardSSD_ZRS"], d.type)])
    error_message = "type is Premium_LRS, Premium_ZRS, PremiumV2_LRS, StandardSSD_LRS or StandardSSD_ZRS. Look at: ${join(", ", [for name, d in var.disks : "${name} (${d.type})" if !contains(["Premium_LRS", "Premium_ZRS", "PremiumV2_LRS", "StandardSSD_LRS", "StandardSSD_ZRS"], d.type)])}."
  }

  validation {
    condition     = alltrue([for d in var.disks : endswith(d.type, "_ZRS") ? d.zone == null : contains(["1", "2", "3"], coalesce(d.zone, "none"))])
    error_message = "zone is 1, 2 or 3 with an LRS type, and left out with a ZRS one. Look at: ${join(", ", [for name, d in var.disks : "${name} (${d.type}, ${coalesce(d.zone, "no zone")})" if !(endswith(d.type, "_ZRS") ? d.zone == null : contains(["1", "2", "3"], coalesce(d.zone, "none")))])}."
  }

  validation {
    condition     = alltrue([for d in var.disks : d.size_gib >= 1 && d.size_gib <= 32767 && floor(d.size_gib) == d.size_gib])
    error_message = "size_gib is 1 to 32767, without fractions. Look at: ${join(", ", [for name, d in var.disks : "${name} (${d.size_gib})" if !(d.size_gib >= 1 && d.size_gib <= 32767 && floor(d.size_gib) == d.size_gib)])}."
  }
}

variable "resource_group_name" {
  description = "Resource group that the disks are made in. The cluster's identity needs the role Contributor on it, or it cannot attach them."
  type        = string

  validation {
    condition     = length(var.resource_group_name) > 0
    error_message = "resource_group_name is empty."
  }
}

variable "resource_group_id" {
  description = "Id of the same resource group: the snapshots are kept in it, which takes a role there. Needed with snapshots."
  type        = string
  default     = null

  validation {
    condition     = var.resource_group_id == null || can(regex("(?i)^/subscriptions/[^/]+/resourceGroups/[^/]+$", var.resource_group_id))
    error_message = "resource_group_id is /subscriptions/ID/resourceGroups/NAME."
  }

  validation {
    condition     = var.snapshots == null || var.resource_group_id != null
    error_message = "Snapshots need resource_group_id; or set snapshots = null to do without them."
  }
}

variable "location" {
  description = "Azure region of the cluster."
  type        = string

  validation {
    condition     = length(var.location) > 0
    error_message = "location is empty: the region of the cluster, such as westeurope."
  }
}

variable "snapshots" {
  description = "Daily snapshots of all disks by Azure Backup. null: none."
  type = object({
    # Days that a snapshot is kept.
    retention_days = optional(number, 30)
    # Hour, in UTC, in which a snapshot begins: 0 to 23.
    start_hour = optional(number, 4)
  })
  default = {}

  validation {
    condition     = var.snapshots == null || try(var.snapshots.retention_days >= 1 && var.snapshots.retention_days <= 360 && floor(var.snapshots.retention_days) == var.snapshots.retention_days, false)
    error_message = "snapshots.retention_days is a number of days, 1 to 360."
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
