variable "stores" {
  description = "The stores of the cluster by name: one for all hubs, or several where their costs are to be told apart."
  type = map(object({
    # Name of the store's storage account: 3 to 24 lowercase letters and digits, and nobody else's in all of Azure.
    account_name = string
    # What the share holds, in GiB: 100 to 102400. It is paid for whether it is used or not, and the share is the faster the larger it is.
    size_gib = optional(number, 100)
    # ZRS (survives the loss of a zone; not in every region) or LRS.
    replication = optional(string, "ZRS")
    # Tags of this store, over those of the module.
    tags = optional(map(string), {})
  }))

  validation {
    condition     = length(var.stores) > 0
    error_message = "stores is empty: name at least one, such as { main = { account_name = \"myclusterhomes\" } }."
  }

  validation {
    condition     = alltrue([for name in keys(var.stores) : can(regex("^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$", name))])
    error_message = "A store's name is 1 to 30 lowercase letters, digits and hyphens, begins with a letter and does not end with a hyphen. These are not: ${join(", ", [for name in keys(var.stores) : name if !can(regex("^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$", name))])}."
  }

  validation {
    condition     = alltrue([for s in var.stores : can(regex("^[a-z0-9]{3,24}$", s.account_name))])
    error_message = "account_name is 3 to 24 lowercase letters and digits. These are not: ${join(", ", [for s in var.stores : s.account_name if !can(regex("^[a-z0-9]{3,24}$", s.account_name))])}."
  }

  validation {
    condition     = length(distinct([for s in var.stores : s.account_name])) == length(var.stores)
    error_message = "Two stores have the same account_name: each has an account of its own, so that its costs are its own."
  }

  validation {
    condition     = alltrue([for s in var.stores : s.size_gib >= 100 && s.size_gib <= 102400 && floor(s.size_gib) == s.size_gib])
    error_message = "size_gib is 100 to 102400, without fractions. Look at: ${join(", ", [for name, s in var.stores : "${name} (${s.size_gib})" if !(s.size_gib >= 100 && s.size_gib <= 102400 && floor(s.size_gib) == s.size_gib)])}."
  }

  validation {
    condition     = alltrue([for s in var.stores : contains(["LRS", "ZRS"], s.replication)])
    error_message = "replication is LRS or ZRS: Premium file shares have no other. Look at: ${join(", ", [for name, s in var.stores : "${name} (${s.replication})" if !contains(["LRS", "ZRS"], s.replication)])}."
  }
}

variable "resource_group_name" {
  description = "Resource group that the storage accounts are made in."
  type        = string

  validation {
    condition     = length(var.resource_group_name) > 0
    error_message = "resource_group_name is empty."
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

variable "subnet_ids" {
  description = "Subnets of the nodes, and of the pods where these have subnets of their own. Each needs the service endpoint Microsoft.Storage. May be empty with private_endpoint."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.subnet_ids : can(regex("(?i)^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft.Network/virtualNetworks/[^/]+/subnets/[^/]+$", id))])
    error_message = "subnet_ids are full ids of subnets, /subscriptions/.../virtualNetworks/NAME/subnets/NAME. Look at: ${join(", ", [for id in var.subnet_ids : id if !can(regex("(?i)^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft.Network/virtualNetworks/[^/]+/subnets/[^/]+$", id))])}."
  }

  validation {
    condition     = length(var.subnet_ids) > 0 || var.private_endpoint != null
    error_message = "Neither subnet_ids nor private_endpoint: nobody would reach the store."
  }
}

variable "private_endpoint" {
  description = "Gives each store an address in the cluster's network. null: the subnets reach it through the service endpoint."
  type = object({
    # Subnet that gets the addresses.
    subnet_id = string
    # Private DNS zones privatelink.file.core.windows.net that are linked to the cluster's network, so that the store's name leads to the address.
    private_dns_zone_ids = list(string)
  })
  default = null

  validation {
    condition     = var.private_endpoint == null || length(try(var.private_endpoint.private_dns_zone_ids, [])) > 0
    error_message = "private_endpoint.private_dns_zone_ids is empty: the nodes would look the store up in public, and be turned away."
  }
}

variable "soft_delete_days" {
  description = "Days for which a deleted share can be brought back, 1 to 365."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.soft_delete_days >= 1 && var.soft_delete_days <= 365 && floor(var.soft_delete_days) == var.soft_delete_days
    error_message = "soft_delete_days is 1 to 365."
  }
}

variable "tags" {
  description = "Tags of all resources that have tags."
  type        = map(string)
  default     = {}
}
