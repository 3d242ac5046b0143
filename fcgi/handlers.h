/* The handlers, one source file a domain (h_<domain>.c). A handler reads rq->id, rq->in and the
 * query, calls the domain, and writes the answer with reply(); a failure it only returns. */
#ifndef FCGI_HANDLERS_H
#define FCGI_HANDLERS_H

#include "fcgi/route.h"

enum rc h_project_list(struct request *rq);
enum rc h_project_create(struct request *rq);
enum rc h_project_get(struct request *rq);
enum rc h_project_update(struct request *rq);
enum rc h_project_delete(struct request *rq);
enum rc h_project_documents(struct request *rq);
enum rc h_project_set_documents(struct request *rq);

enum rc h_task_list(struct request *rq);
enum rc h_task_create(struct request *rq);
enum rc h_task_get(struct request *rq);
enum rc h_task_update(struct request *rq);
enum rc h_task_delete(struct request *rq);
enum rc h_task_execute(struct request *rq);
enum rc h_task_resume(struct request *rq);
enum rc h_task_cancel(struct request *rq);
enum rc h_task_respond(struct request *rq);
enum rc h_task_output(struct request *rq);
enum rc h_task_logs(struct request *rq);
enum rc h_task_provenance(struct request *rq);
enum rc h_task_siblings(struct request *rq);
enum rc h_task_assist(struct request *rq);

enum rc h_log_stream(struct request *rq);

enum rc h_notification_list(struct request *rq);
enum rc h_notification_update(struct request *rq);
enum rc h_notification_delete(struct request *rq);
enum rc h_notification_read_all(struct request *rq);
enum rc h_approval_list(struct request *rq);
enum rc h_approval_stream(struct request *rq);

enum rc h_permission_list(struct request *rq);
enum rc h_permission_add(struct request *rq);
enum rc h_permission_remove(struct request *rq);
enum rc h_preset_list(struct request *rq);
enum rc h_preset_add(struct request *rq);
enum rc h_preset_remove(struct request *rq);

enum rc h_auth_get(struct request *rq);
enum rc h_auth_put(struct request *rq);
enum rc h_openai_get(struct request *rq);
enum rc h_openai_put(struct request *rq);
enum rc h_providers_get(struct request *rq);
enum rc h_budget_get(struct request *rq);
enum rc h_budget_put(struct request *rq);
enum rc h_routing_get(struct request *rq);
enum rc h_routing_put(struct request *rq);
enum rc h_pricing_get(struct request *rq);
enum rc h_pricing_refresh(struct request *rq);
enum rc h_chat_default_get(struct request *rq);
enum rc h_chat_default_put(struct request *rq);
enum rc h_runtime_limits_get(struct request *rq);
enum rc h_runtime_limits_put(struct request *rq);
enum rc h_ollama_get(struct request *rq);
enum rc h_ollama_put(struct request *rq);
enum rc h_learning_get(struct request *rq);
enum rc h_learning_put(struct request *rq);
enum rc h_browser_tools_get(struct request *rq);
enum rc h_browser_tools_put(struct request *rq);
enum rc h_web_search_get(struct request *rq);
enum rc h_web_search_put(struct request *rq);
enum rc h_author_get(struct request *rq);
enum rc h_settings_test(struct request *rq);
enum rc h_runtime_suggest(struct request *rq);
enum rc h_ollama_list(struct request *rq);
enum rc h_ollama_pull(struct request *rq);

enum rc h_context_batch(struct request *rq);
enum rc h_context_get(struct request *rq);
enum rc h_context_add(struct request *rq);
enum rc h_context_change(struct request *rq);

enum rc h_profile_list(struct request *rq);
enum rc h_profile_create(struct request *rq);
enum rc h_profile_get(struct request *rq);
enum rc h_profile_replace(struct request *rq);
enum rc h_profile_delete(struct request *rq);
enum rc h_profile_test(struct request *rq);
enum rc h_profile_test_single(struct request *rq);
enum rc h_profile_test_results(struct request *rq);
enum rc h_profile_assist(struct request *rq);

enum rc h_profile_import(struct request *rq);
enum rc h_repo_import_list(struct request *rq);
enum rc h_repo_scan(struct request *rq);
enum rc h_repo_preview(struct request *rq);
enum rc h_repo_confirm(struct request *rq);
enum rc h_repo_check(struct request *rq);
enum rc h_repo_apply(struct request *rq);

enum rc h_memory_list(struct request *rq);
enum rc h_memory_create(struct request *rq);
enum rc h_memory_update(struct request *rq);
enum rc h_memory_archive(struct request *rq);

enum rc h_handoff_list(struct request *rq);
enum rc h_handoff_create(struct request *rq);
enum rc h_handoff_get(struct request *rq);
enum rc h_handoff_decide(struct request *rq);

enum rc h_view_list(struct request *rq);
enum rc h_view_create(struct request *rq);
enum rc h_view_update(struct request *rq);
enum rc h_view_delete(struct request *rq);

enum rc h_document_list(struct request *rq);
enum rc h_document_create(struct request *rq);
enum rc h_document_get(struct request *rq);
enum rc h_document_update(struct request *rq);
enum rc h_document_delete(struct request *rq);
enum rc h_document_file(struct request *rq);
enum rc h_document_versions(struct request *rq);

enum rc h_upload_create(struct request *rq);
enum rc h_upload_get(struct request *rq);
enum rc h_upload_delete(struct request *rq);
enum rc h_upload_cleanup(struct request *rq);

enum rc h_table_list(struct request *rq);
enum rc h_table_create(struct request *rq);
enum rc h_table_get(struct request *rq);
enum rc h_table_update(struct request *rq);
enum rc h_table_delete(struct request *rq);
enum rc h_column_add(struct request *rq);
enum rc h_column_reorder(struct request *rq);
enum rc h_row_list(struct request *rq);
enum rc h_row_add(struct request *rq);
enum rc h_row_update(struct request *rq);
enum rc h_row_delete(struct request *rq);
enum rc h_table_history(struct request *rq);
enum rc h_row_history(struct request *rq);
enum rc h_row_rollback(struct request *rq);
enum rc h_trigger_list(struct request *rq);
enum rc h_trigger_create(struct request *rq);
enum rc h_trigger_set_status(struct request *rq);
enum rc h_trigger_update(struct request *rq);
enum rc h_trigger_delete(struct request *rq);
enum rc h_chart_list(struct request *rq);
enum rc h_chart_create(struct request *rq);
enum rc h_chart_update(struct request *rq);
enum rc h_chart_delete(struct request *rq);
enum rc h_chart_data(struct request *rq);
enum rc h_template_list(struct request *rq);
enum rc h_template_save(struct request *rq);
enum rc h_table_import(struct request *rq);
enum rc h_table_export(struct request *rq);

enum rc h_workflow_list(struct request *rq);
enum rc h_workflow_create(struct request *rq);
enum rc h_workflow_from_assist(struct request *rq);
enum rc h_workflow_update(struct request *rq);
enum rc h_workflow_delete(struct request *rq);
enum rc h_workflow_execute(struct request *rq);
enum rc h_workflow_status(struct request *rq);
enum rc h_workflow_documents(struct request *rq);
enum rc h_workflow_attach(struct request *rq);
enum rc h_workflow_detach(struct request *rq);
enum rc h_workflow_retry(struct request *rq);

enum rc h_schedule_list(struct request *rq);
enum rc h_schedule_create(struct request *rq);
enum rc h_schedule_get(struct request *rq);
enum rc h_schedule_update(struct request *rq);
enum rc h_schedule_delete(struct request *rq);
enum rc h_schedule_parse(struct request *rq);
enum rc h_schedule_history(struct request *rq);

enum rc h_blueprint_list(struct request *rq);
enum rc h_blueprint_create(struct request *rq);
enum rc h_blueprint_import(struct request *rq);
enum rc h_blueprint_get(struct request *rq);
enum rc h_blueprint_delete(struct request *rq);
enum rc h_blueprint_instantiate(struct request *rq);

enum rc h_openapi(struct request *rq);

#endif
