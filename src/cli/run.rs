//! From arguments to an exit code.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use clap::Parser;

use super::arguments::{ApplyArguments, DiffArguments, Global, SchemaKind, ShowArguments, ShowFormat, StateVerb};
use super::{Arguments, Output, ProgressView, Verb, events, machine, prompt};
use crate::base::{CommandError, Exit};
use crate::command::{self, ApplyRequest, DiffRequest, PlanRequest, Planned};
use crate::report::{self, JsonEvent, PlanView};
use crate::select::Context;
use crate::{base, manifest, store};

/// Runs one command line and gives the exit code.
///
/// `typed` begins with the program's name.
pub fn run(typed: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments = match parse(typed) {
        Ok(arguments) => arguments,
        Err(exit) => return exit.code(),
    };
    super::log::start(arguments.global.verbose, !arguments.global.no_color && machine::allows_colours());
    let output = output_for(&arguments);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output.error(&CommandError::plain("the program could not start its runtime").caused_by(&error));
            return Exit::Error.code();
        }
    };
    let exit = runtime.block_on(dispatch(&arguments, &output)).unwrap_or_else(|error| {
        output.error(&error);
        error.exit
    });
    let exit = if output.is_lost() && matches!(exit, Exit::Done | Exit::ChangesPresent) {
        output.error(
            &CommandError::plain("standard output could not be written to its end").with_help("the work itself was done"),
        );
        Exit::Error
    } else {
        exit
    };
    // Work that nobody waits for any more, such as a read from a silent server, must not keep the process.
    runtime.shutdown_background();
    exit.code()
}

/// Runs one more command line inside a running one, as the demo does.
pub(super) async fn run_typed(typed: Vec<OsString>) -> Exit {
    let arguments = match parse(typed) {
        Ok(arguments) => arguments,
        Err(exit) => return exit,
    };
    let output = output_for(&arguments);
    dispatch(&arguments, &output).await.unwrap_or_else(|error| {
        output.error(&error);
        error.exit
    })
}

fn parse(typed: impl IntoIterator<Item = OsString>) -> Result<Arguments, Exit> {
    Arguments::try_parse_from(typed).map_err(|error| {
        // Help and the version are no errors; a wrong command line is one, and 2 is taken by `--detailed-exitcode`.
        let _ = error.print();
        if error.use_stderr() { Exit::Error } else { Exit::Done }
    })
}

fn output_for(arguments: &Arguments) -> Output {
    let colours = !arguments.global.no_color && machine::allows_colours();
    // These print one text that is not made of events.
    let bare = matches!(arguments.verb, Verb::Completions(_) | Verb::Schema(_) | Verb::Demo(_));
    Output::new(arguments.global.json, colours, bare)
}

fn host(output: &Output) -> Result<(Context, Arc<ProgressView>), CommandError> {
    let observer = Arc::new(ProgressView::new(output.clone()));
    let host = Context {
        files: Arc::new(store::LocalFiles),
        clock: Arc::new(machine::MachineClock),
        connector: Arc::new(super::connect::NetworkConnector::new()?),
        observer: observer.clone(),
        who: machine::who(),
        seed: machine::seed(),
        fresh_id: Arc::new(machine::fresh_id),
    };
    Ok((host, observer))
}

async fn dispatch(arguments: &Arguments, output: &Output) -> Result<Exit, CommandError> {
    let global = &arguments.global;
    match &arguments.verb {
        Verb::Init => init(global, output),
        Verb::Validate => validate(global, output),
        Verb::Plan(plan) => {
            let planned = make_plan(global, plan.out.as_deref(), output).await?;
            show_planned(&planned, output);
            Ok(command::plan_exit(&planned.header, plan.detailed_exitcode))
        }
        Verb::Diff(diff) => compare(diff, output),
        Verb::Show(show) => show_bundle(global, show, output),
        Verb::Apply(apply) => apply_plan(global, apply, output).await,
        Verb::State(verb) => state(global, verb, output).await,
        Verb::ForceUnlock(unlock) => {
            let told = command::force_unlock(&host(output)?.0, &global.project, &unlock.id).await?;
            output.done(&told);
            Ok(Exit::Done)
        }
        Verb::Schema(schema) => {
            output.text(&match schema.kind {
                SchemaKind::Manifest => {
                    let schema = serde_json::to_string_pretty(&manifest::json_schema()).unwrap_or_default();
                    format!("{schema}\n")
                }
                SchemaKind::Output => {
                    let schema = serde_json::to_string_pretty(&report::output_schema()).unwrap_or_default();
                    format!("{schema}\n")
                }
            });
            Ok(Exit::Done)
        }
        Verb::Sandbox(sandbox) => super::sandbox::serve(sandbox, output).await,
        Verb::Demo(demo) => super::demo::demo(demo, output).await,
        Verb::Completions(completions) => {
            let mut script = Vec::new();
            clap_complete::generate(completions.shell, &mut super::grammar(), "sexton", &mut script);
            output.text(&String::from_utf8_lossy(&script));
            Ok(Exit::Done)
        }
        Verb::Version => {
            // For machines it is the line that every stream begins with.
            if !output.is_json() {
                output.text(&format!("sexton {}\n", env!("CARGO_PKG_VERSION")));
            }
            Ok(Exit::Done)
        }
    }
}

fn init(global: &Global, output: &Output) -> Result<Exit, CommandError> {
    let path = command::init(&global.project)?;
    output.done(&format!("wrote {}: edit it, then run `sexton validate`", path.display()));
    Ok(Exit::Done)
}

fn validate(global: &Global, output: &Output) -> Result<Exit, CommandError> {
    let reading = command::validate(&global.project);
    let valid = reading.workspace.is_some();
    if global.json {
        output.event(&report::diagnostic::report(&reading.diagnostics, &reading.sources));
    } else {
        output.diagnostics(&reading.diagnostics, &reading.sources);
        if let Some(workspace) = &reading.workspace {
            output.note(&format!(
                "valid: {}, {}, {}",
                base::counted(workspace.targets.len() as u64, "target"),
                match workspace.policies.len() {
                    1 => "1 policy".to_owned(),
                    count => format!("{count} policies"),
                },
                base::counted(workspace.holds.len() as u64, "hold"),
            ));
        }
    }
    Ok(if valid { Exit::Done } else { Exit::Error })
}

async fn make_plan(global: &Global, out: Option<&Path>, output: &Output) -> Result<Planned, CommandError> {
    let (host, progress) = host(output)?;
    let request = PlanRequest { project: global.project.clone(), out: out.map(Path::to_owned) };
    let planned = command::plan(&host, &request).await;
    progress.clear();
    planned
}

fn show_planned(planned: &Planned, output: &Output) {
    if output.is_json() {
        events::planned(&planned.header, Some(planned.digest), Some(&planned.directory))
            .iter()
            .for_each(|event| output.event(event));
        return;
    }
    let palette = output.palette();
    let changes = planned
        .before
        .as_ref()
        .map(|before| report::manifest_diff(before, &planned.header.manifests.files, palette))
        .unwrap_or_default();
    let place = planned.directory.display().to_string();
    let view = PlanView {
        header: &planned.header,
        digest: Some(planned.digest),
        samples: &planned.samples,
        place: &place,
        manifest_changes: &changes,
    };
    output.text(&report::plan_text(&view, palette));
    if planned.header.selected() > 0 && !planned.header.is_refused() {
        output.note(&format!("To delete exactly these records: sexton apply {place}"));
    }
}

fn compare(arguments: &DiffArguments, output: &Output) -> Result<Exit, CommandError> {
    let request = DiffRequest { before: arguments.before.clone(), after: arguments.after.clone() };
    let palette = output.palette();
    let differences = command::diff(&request, &mut |policy, difference| {
        if arguments.summary {
            return;
        }
        if output.is_json() {
            output.event(&events::change(policy, difference));
        } else {
            output.text(&format!("{} {policy} {}\n", difference.symbol.character(), difference.id));
        }
    })?;
    if output.is_json() {
        events::differences(&differences).iter().for_each(|event| output.event(event));
    } else {
        output.text(&report::manifest_diff(&differences.manifests_before, &differences.manifests_after, palette));
        output.text(&report::differences_text(&differences.policies, palette));
    }
    Ok(differences.exit(arguments.detailed_exitcode))
}

fn show_bundle(global: &Global, arguments: &ShowArguments, output: &Output) -> Result<Exit, CommandError> {
    let directory = match &arguments.plan {
        Some(directory) => directory.clone(),
        None => crate::select::plan_directory(&global.project)?,
    };
    let (bundle, samples) = command::show(&directory)?;
    let place = directory.display().to_string();
    let view = PlanView {
        header: bundle.header(),
        digest: Some(bundle.digest()),
        samples: &samples,
        place: &place,
        manifest_changes: "",
    };
    if arguments.format == ShowFormat::Json || output.is_json() {
        let machine = if output.is_json() { output.clone() } else { Output::new(true, false, false) };
        events::planned(bundle.header(), Some(bundle.digest()), Some(&directory))
            .iter()
            .for_each(|event| machine.event(event));
        if arguments.records {
            command::show_records(&bundle, &mut |policy, row| machine.event(&events::record(policy, row.id)))?;
        }
        return Ok(Exit::Done);
    }
    if arguments.format == ShowFormat::Markdown {
        output.text(&report::plan_markdown(&view, arguments.max_bytes));
        return Ok(Exit::Done);
    }
    if arguments.records {
        command::show_records(&bundle, &mut |policy, row| {
            let values: Vec<_> = row.values.iter().map(|value| report::terminal_line(value).into_owned()).collect();
            output.text(&format!("- {policy} {} {}\n", row.id, values.join("  ")).replace(" \n", "\n"));
        })?;
        return Ok(Exit::Done);
    }
    output.text(&report::plan_text(&view, output.palette()));
    Ok(Exit::Done)
}

async fn apply_plan(global: &Global, arguments: &ApplyArguments, output: &Output) -> Result<Exit, CommandError> {
    let mut confirmed = arguments.confirm_target.clone();
    let directory = match &arguments.plan {
        Some(directory) => directory.clone(),
        None => {
            if output.is_json() && !arguments.auto_approve {
                return Err(CommandError::plain("with --json nobody can be asked")
                    .with_help("name a reviewed plan, as in `sexton apply plan --json`, or add --auto-approve"));
            }
            let planned = make_plan(global, None, output).await?;
            show_planned(&planned, output);
            if planned.header.is_refused() {
                return Ok(Exit::GateRefused);
            }
            if planned.header.selected() == 0 {
                output.note("Nothing to delete.");
                return Ok(Exit::Done);
            }
            if !arguments.auto_approve {
                if !prompt::can_ask() {
                    return Err(CommandError::plain("there is no terminal to ask at, so nothing was deleted")
                        .with_help("name the reviewed plan, as in `sexton apply plan`, or add --auto-approve"));
                }
                let question =
                    format!("Delete {}? Only `yes` is taken:", base::counted(planned.header.selected(), "record"));
                if !prompt::confirms(&question, "yes") {
                    output.note("Nothing was deleted.");
                    return Ok(Exit::Error);
                }
            }
            planned.directory
        }
    };
    if !arguments.auto_approve && !output.is_json() && prompt::can_ask() {
        for target in command::targets_to_confirm(&directory)? {
            if !confirmed.iter().any(|name| name == target.as_str()) {
                let question = format!("Hard deletes cannot be taken back. Type the target's name, {target}, to go on:");
                if !prompt::confirms(&question, target.as_str()) {
                    output.note("Nothing was deleted.");
                    return Ok(Exit::GateRefused);
                }
                confirmed.push(target.to_string());
            }
        }
    }
    let (host, progress) = host(output)?;
    let request = ApplyRequest {
        project: global.project.clone(),
        plan: directory,
        confirmed_targets: confirmed,
        isolate_failures: arguments.isolate_failures,
    };
    let applied = command::apply(&host, &request, &super::interrupt::token()).await;
    progress.clear();
    let applied = applied?;
    if output.is_json() {
        events::applied(&applied).iter().for_each(|event| output.event(event));
    } else {
        output.text(&report::applied_text(&applied.report, output.palette()));
    }
    command::unfinished_notes(&applied).iter().for_each(|note| output.warn(note));
    Ok(applied.exit)
}

async fn state(global: &Global, verb: &StateVerb, output: &Output) -> Result<Exit, CommandError> {
    match verb {
        StateVerb::List | StateVerb::Show { .. } => {
            let state = command::state(&host(output)?.0, &global.project).await?;
            if output.is_json() {
                output.event(&JsonEvent::State { state: Box::new(state) });
                return Ok(Exit::Done);
            }
            output.text(&match verb {
                StateVerb::Show { policy } => {
                    let only = policy
                        .as_ref()
                        .map(|name| base::PolicyName::new(name.as_str()))
                        .transpose()
                        .map_err(|error| CommandError::plain(error.to_string()))?;
                    if let Some(name) = only.as_ref().filter(|name| !state.policies.contains_key(*name)) {
                        return Err(CommandError::plain(format!("the state knows no policy `{name}`"))
                            .with_help("`sexton state list` names those it knows"));
                    }
                    report::state_show_text(&state, only.as_ref(), output.palette())
                }
                _ => report::state_list_text(&state),
            });
        }
        StateVerb::Rm { policy } => {
            let (host, _) = host(output)?;
            command::state_remove(&host, &global.project, policy).await?;
            output.done(&format!("forgot policy {policy}"));
        }
    }
    Ok(Exit::Done)
}
