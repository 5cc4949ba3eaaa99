{{/* Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License. */}}

{{/* home-scanner.name is the name of the objects: of the release, unless that says nothing of a scanner. A StatefulSet's pods
have it in a label, with 11 characters more. */}}
{{- define "home-scanner.name" -}}
{{- if contains "home-scanner" .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-home-scanner" (.Release.Name | trunc 39 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{/* home-scanner.selector are the labels of the pod by which it is found. They never change. */}}
{{- define "home-scanner.selector" -}}
app.kubernetes.io/name: home-scanner
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: scanner
{{- end -}}

{{/* home-scanner.labels are those of every object. */}}
{{- define "home-scanner.labels" -}}
{{ include "home-scanner.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: hubhome
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{/* home-scanner.metadata are the name, the namespace and the labels of every object. */}}
{{- define "home-scanner.metadata" -}}
name: {{ include "home-scanner.name" . }}
namespace: {{ .Release.Namespace | quote }}
labels:
  {{- include "home-scanner.labels" . | nindent 2 }}
{{- end -}}

{{/* home-scanner.image is the image of the pod. */}}
{{- define "home-scanner.image" -}}
{{- with .Values.image -}}
{{- .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ with .digest }}@{{ . }}{{ end }}
{{- end -}}
{{- end -}}

{{/* home-scanner.ip says whether the server is named by an IP address, and of which length: 32, 128, or empty for a name. */}}
{{- define "home-scanner.ip" -}}
{{- if contains ":" .Values.nfs.serverIP -}}
128
{{- else if regexMatch "^[0-9]+([.][0-9]+){3}$" .Values.nfs.serverIP -}}
32
{{- end -}}
{{- end -}}

{{/* home-scanner.server is HOST:PORT. */}}
{{- define "home-scanner.server" -}}
{{- $server := .Values.nfs.serverIP -}}
{{- if not $server -}}
{{-   fail "nfs.serverIP is missing: set it to the address of the NFS server that has the homes, as nfs.pv.serverIP of the chart homes" -}}
{{- end -}}
{{- if contains ":" $server }}{{ $server = printf "[%s]" $server }}{{ end -}}
{{- printf "%s:%d" $server (int .Values.nfs.port) -}}
{{- end -}}

{{/* home-scanner.store is what hubhome.yaml has under store.nfs, without scan: what takes a restart. */}}
{{- define "home-scanner.store" -}}
{{- $nfs := .Values.nfs -}}
{{- if and $nfs.mountPort (hasPrefix "4" (toString $nfs.version)) -}}
{{-   fail (printf "nfs.mountPort is of NFSv3, and nfs.version is %v: leave one of them out" $nfs.version) -}}
{{- end -}}
{{ dict "server" (include "home-scanner.server" .) "baseShare" $nfs.baseShareName "version" (toString $nfs.version) "mountPort" (int $nfs.mountPort) "as" $nfs.as "stateDir" "/var/lib/hubhome/state" | toYaml }}
{{- end -}}

{{/* home-scanner.config is hubhome.yaml. */}}
{{- define "home-scanner.config" -}}
{{- $scan := dict "interval" .Values.scan.interval "iops" (int .Values.scan.iops) "maxAge" .Values.scan.maxAge -}}
{{- $store := merge (dict "scan" $scan) (include "home-scanner.store" . | fromYaml) -}}
{{- $metrics := dict "homes" (int .Values.metrics.homes) -}}
{{- if .Values.metrics.enabled }}{{ $_ := set $metrics "listen" ":9949" }}{{ end -}}
{{- $config := dict "store" (dict "nfs" $store) "metrics" $metrics "log" (dict "level" .Values.log.level) -}}
{{- with .Values.hubs }}{{ $_ := set $config "hubs" . }}{{ end -}}
# Made by Helm: a change by hand is undone by the next upgrade.
{{ $config | toYaml }}
{{- end -}}
