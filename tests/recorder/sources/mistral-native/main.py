from driver import case, mistral_calls, telemetry

telemetry.start()
case.run(mistral_calls.ask)
