// Package monitor says what has happened to a channel since the last look, as events: its media, and what a viewer sees.
package monitor
