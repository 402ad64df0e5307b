{{- define "connector.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "connector.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "connector.selectorLabels" -}}
app.kubernetes.io/name: {{ include "connector.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "connector.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "connector.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "connector.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "connector.fullname" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{- define "connector.image" -}}
{{- with .Values.image }}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{- /*
The pod's annotations. The connector takes changed files by itself; one that does not watch them is replaced.
*/ -}}
{{- define "connector.podAnnotations" -}}
{{- $ours := dict }}
{{- if eq (toString .Values.config.reload) "false" }}
{{- $_ := set $ours "checksum/config" (include "connector.files" . | sha256sum) }}
{{- end }}
{{- with merge $ours (.Values.podAnnotations | default dict) }}
{{- toYaml . }}
{{- end }}
{{- end }}

{{- /* The files of /etc/connector, as the ConfigMap's data. */ -}}
{{- define "connector.files" -}}
{{- toYaml (merge (dict "connector.yaml" (printf "%s\n" (toYaml .Values.config))) (.Values.documents | default dict)) }}
{{- end }}
