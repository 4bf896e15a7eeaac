return await Massif.Cli.CommandLine.RunAsync(args);
