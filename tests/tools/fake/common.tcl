# Notes every command with its arguments; checks files; puts stored reports where the tool would.
proc note {args} {
    set file [open commands.txt a]
    puts $file $args
    close $file
}

proc say {text} {
    puts $text
    flush stdout
}

proc need {file} {
    if {![file isfile $file]} { error "cannot find the file $file" }
}

proc leave {stored name} {
    file copy -force [file join $::reports {*}$stored] $name
}
