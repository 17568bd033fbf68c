# Completion of relay's commands for PowerShell. In $PROFILE:
#
#   relay completion powershell | Out-String | Invoke-Expression

Register-ArgumentCompleter -Native -CommandName relay -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
            Where-Object { $_.Extent.StartOffset -lt $cursorPosition } | ForEach-Object { $_.ToString() })
    # An empty argument does not reach a program in every version, so a flag stands for it.
    $flags = @(if ($wordToComplete -eq '') { '--new' })
    relay __complete @flags '--' @words 2>$null | ForEach-Object {
        $word, $about = $_ -split "`t", 2
        if (-not $about) { $about = $word }
        if ($word -eq ':files') {
            Get-ChildItem -Path "$wordToComplete*" -ErrorAction Ignore | ForEach-Object {
                [System.Management.Automation.CompletionResult]::new($_.Name, $_.Name, 'ProviderItem', $_.FullName)
            }
        } elseif ($word -eq ':dirs') {
            Get-ChildItem -Path "$wordToComplete*" -Directory -ErrorAction Ignore | ForEach-Object {
                [System.Management.Automation.CompletionResult]::new($_.Name, $_.Name, 'ProviderContainer', $_.FullName)
            }
        } else {
            [System.Management.Automation.CompletionResult]::new($word, $word, 'ParameterValue', $about)
        }
    }
}
