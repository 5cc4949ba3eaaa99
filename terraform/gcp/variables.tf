variable "cluster_name" {
  description = "Name of the Kubernetes cluster. The names of all resources begin with it."
  type        = string

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$", var.cluster_name))
    error_message = "cluster_name is 1 to 30 lowercase letters, digits and hyphens, begins with a letter and does not end with a hyphen."
  }
}

variable "stores" {
  description = "The stores of the cluster by name: one for all hubs, or several where their costs are to be told apart."
  type = map(object({
    # BASIC_HDD, BASIC_SSD, ZONAL, REGIONAL or ENTERPRISE. Only the last three can shrink, and speak NFSv4.1.
    tier = optional(string, "ZONAL")
    # Zone of a BASIC_HDD, BASIC_SSD or ZONAL store, region of a REGIONAL or ENTERPRISE one.
    location = string
    # What the store holds, in GiB. BASIC_HDD: 1024 to 65433. BASIC_SSD: 2560 to 65433. ENTERPRISE: 1024 to 10240 in steps of 256. ZONAL and REGIONAL: 1024 to 9984 in steps of 256, or 10240 to 102400 in steps of 2560.
    capacity_gib = optional(number, 1024)
    # NFS_V3, or NFS_V4_1 where the tier has it.
    protocol = optional(string, "NFS_V3")
    # Filestore backup that a new store starts with: projects/PROJECT/locations/REGION/backups/NAME.
    source_backup = optional(string)
    # Cloud KMS key instead of Google's own, for ZONAL, REGIONAL and ENTERPRISE.
    kms_key_name = optional(string)
    # Labels of this store, over those of the module.
    labels = optional(map(string), {})
  }))

  validation {
    condition     = length(var.stores) > 0
    error_message = "stores is empty: name at least one, such as { main = { location = \"us-central1-b\" } }."
  }

  validation {
    condition     = alltrue([for name in keys(var.stores) : can(regex("^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$", name))])
    error_message = "A store's name is 1 to 30 lowercase letters, digits and hyphens, begins with a letter and does not end with a hyphen. These are not: ${join(", ", [for name in keys(var.stores) : name if !can(regex("^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$", name))])}."
  }

  validation {
    condition     = alltrue([for s in var.stores : contains(["BASIC_HDD", "BASIC_SSD", "ZONAL", "REGIONAL", "ENTERPRISE"], s.tier)])
    error_message = "tier is BASIC_HDD, BASIC_SSD, ZONAL, REGIONAL or ENTERPRISE. Look at: ${join(", ", [for name, s in var.stores : "${name} (${s.tier})" if !contains(["BASIC_HDD", "BASIC_SSD", "ZONAL", "REGIONAL", "ENTERPRISE"], s.tier)])}."
  }

  validation {
    condition = alltrue([for s in var.stores :
      s.tier == "BASIC_HDD" ? s.capacity_gib >= 1024 && s.capacity_gib <= 65433 && floor(s.capacity_gib) == s.capacity_gib :
      s.tier == "BASIC_SSD" ? s.capacity_gib >= 2560 && s.capacity_gib <= 65433 && floor(s.capacity_gib) == s.capacity_gib :
      s.tier == "ENTERPRISE" ? s.capacity_gib >= 1024 && s.capacity_gib <= 10240 && s.capacity_gib % 256 == 0 :
      s.capacity_gib >= 1024 && s.capacity_gib < 10240 && s.capacity_gib % 256 == 0 || s.capacity_gib >= 10240 && s.capacity_gib <= 102400 && s.capacity_gib % 2560 == 0
    ])
    error_message = "A tier does not have every capacity_gib. BASIC_HDD: 1024 to 65433. BASIC_SSD: 2560 to 65433. ENTERPRISE: 1024 to 10240 in steps of 256. ZONAL and REGIONAL: 1024 to 9984 in steps of 256, or 10240 to 102400 in steps of 2560. These stores have: ${join(", ", [for name, s in var.stores : "${name} (${s.tier}, ${s.capacity_gib})"])}."
  }

  validation {
    condition     = alltrue([for s in var.stores : s.protocol == "NFS_V3" || s.protocol == "NFS_V4_1" && !startswith(s.tier, "BASIC_")])
    error_message = "protocol is NFS_V3, or NFS_V4_1 with tier ZONAL, REGIONAL or ENTERPRISE. Look at: ${join(", ", [for name, s in var.stores : "${name} (${s.tier}, ${s.protocol})" if s.protocol != "NFS_V3" && !(s.protocol == "NFS_V4_1" && !startswith(s.tier, "BASIC_"))])}."
  }

  validation {
    condition     = alltrue([for s in var.stores : can(regex(contains(["REGIONAL", "ENTERPRISE"], s.tier) ? "^[a-z]+-[a-z]+[0-9]+$" : "^[a-z]+-[a-z]+[0-9]+-[a-z]$", s.location))])
    error_message = "location is a region (us-central1) with tier REGIONAL and ENTERPRISE, and a zone (us-central1-b) with any other. Look at: ${join(", ", [for name, s in var.stores : "${name} (${s.tier}, ${s.location})" if !can(regex(contains(["REGIONAL", "ENTERPRISE"], s.tier) ? "^[a-z]+-[a-z]+[0-9]+$" : "^[a-z]+-[a-z]+[0-9]+-[a-z]$", s.location))])}."
  }

  validation {
    condition     = alltrue([for s in var.stores : s.source_backup == null || can(regex("^projects/[^/]+/locations/[^/]+/backups/[^/]+$", s.source_backup))])
    error_message = "source_backup is projects/PROJECT/locations/REGION/backups/NAME, as `gcloud filestore backups list --uri` ends."
  }

  validation {
    condition     = alltrue([for s in var.stores : s.kms_key_name == null || !startswith(s.tier, "BASIC_")])
    error_message = "Tiers BASIC_HDD and BASIC_SSD are encrypted with Google's keys only: leave kms_key_name out, or take another tier."
  }

  validation {
    condition     = alltrue([for s in var.stores : alltrue([for k, v in s.labels : can(regex("^[a-z][a-z0-9_-]{0,62}$", k)) && can(regex("^[a-z0-9_-]{0,63}$", v))])])
    error_message = "Labels of Google Cloud are up to 63 lowercase letters, digits, underscores and hyphens; a key begins with a letter."
  }
}

variable "network" {
  description = "VPC network of the cluster's nodes: its name, or projects/PROJECT/global/networks/NAME where it is shared."
  type        = string

  validation {
    condition     = length(var.network) > 0
    error_message = "network is empty: the name of the VPC network that the nodes are in."
  }
}

variable "connect_mode" {
  description = "How Filestore is connected to the network: DIRECT_PEERING, or PRIVATE_SERVICE_ACCESS, which shared networks need."
  type        = string
  default     = "DIRECT_PEERING"

  validation {
    condition     = contains(["DIRECT_PEERING", "PRIVATE_SERVICE_ACCESS"], var.connect_mode)
    error_message = "connect_mode is DIRECT_PEERING or PRIVATE_SERVICE_ACCESS."
  }
}

variable "node_ip_ranges" {
  description = "IPv4 ranges of the nodes, which mount the homes. Nobody else may, but pod_ip_ranges."
  type        = list(string)

  validation {
    condition     = length(var.node_ip_ranges) > 0
    error_message = "node_ip_ranges is empty: Filestore would let everybody in the network mount."
  }

  validation {
    condition     = alltrue([for r in var.node_ip_ranges : try(cidrsubnet(r, 0, 0) == r && cidrnetmask(r) != "0.0.0.0", false)])
    error_message = "node_ip_ranges are IPv4 networks such as 10.128.0.0/20, and not everybody. Look at: ${join(", ", [for r in var.node_ip_ranges : r if !try(cidrsubnet(r, 0, 0) == r && cidrnetmask(r) != "0.0.0.0", false)])}."
  }

  validation {
    condition     = length(distinct(var.node_ip_ranges)) == length(var.node_ip_ranges)
    error_message = "node_ip_ranges has a range twice, which Filestore refuses."
  }
}

variable "pod_ip_ranges" {
  description = "IPv4 ranges of the pods, where they have addresses of their own: GKE's VPC-native clusters. The share creator is a pod and speaks to the store itself."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for r in var.pod_ip_ranges : try(cidrsubnet(r, 0, 0) == r && cidrnetmask(r) != "0.0.0.0", false)])
    error_message = "pod_ip_ranges are IPv4 networks such as 10.4.0.0/14, and not everybody. Look at: ${join(", ", [for r in var.pod_ip_ranges : r if !try(cidrsubnet(r, 0, 0) == r && cidrnetmask(r) != "0.0.0.0", false)])}."
  }

  validation {
    condition     = length(distinct(concat(distinct(var.node_ip_ranges), var.pod_ip_ranges))) == length(distinct(var.node_ip_ranges)) + length(var.pod_ip_ranges)
    error_message = "pod_ip_ranges has a range twice, or one of node_ip_ranges, which Filestore refuses."
  }
}

variable "backups" {
  description = "Daily backups of all stores by the Backup and DR Service. null: none."
  type = object({
    # Days that a backup is kept. For the first 7 of them nobody can delete it.
    retention_days = optional(number, 30)
    # Hour, in UTC, after which a backup begins, within six hours: 0 to 18.
    start_hour = optional(number, 2)
  })
  default = {}

  validation {
    condition     = var.backups == null || try(var.backups.retention_days >= 1 && var.backups.retention_days <= 3650 && floor(var.backups.retention_days) == var.backups.retention_days, false)
    error_message = "backups.retention_days is a number of days, 1 to 3650."
  }

  validation {
    condition     = var.backups == null || try(var.backups.start_hour >= 0 && var.backups.start_hour <= 18 && floor(var.backups.start_hour) == var.backups.start_hour, false)
    error_message = "backups.start_hour is an hour from 0 to 18: the six hours in which a backup may begin end on the same day."
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
